using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch;

/// <summary>Inversion and editing of whole pictures, as commands and notebooks use them.</summary>
public static class PictureEditing
{
    /// <summary>Inverts a picture.</summary>
    /// <param name="model">The model; borrowed.</param>
    /// <param name="path">PNG, JPEG or WebP file of any size.</param>
    /// <param name="prompt">What it shows.</param>
    /// <param name="options">Method, steps, guidance, size; null for null-text inversion as released.</param>
    /// <param name="control">Progress and cancellation; null for neither.</param>
    /// <returns>The inverted picture, owned by the caller.</returns>
    /// <exception cref="ImageFileException">The file cannot be read.</exception>
    /// <exception cref="PromptTooLongException">The prompt does not fit the model's context.</exception>
    /// <exception cref="UnknownWordsException">The model knows none of the words that describe the picture.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static InvertedPicture Invert(this IDiffusionModel model, string path, string prompt, InvertOptions? options = null, RunControl? control = null) =>
        model.Invert(ImageFile.Load(path), prompt, options, control);

    /// <summary>Inverts a picture.</summary>
    /// <param name="model">The model; borrowed.</param>
    /// <param name="image">The picture, of any size.</param>
    /// <param name="prompt">What it shows.</param>
    /// <param name="options">Method, steps, guidance, size; null for null-text inversion as released.</param>
    /// <param name="control">Progress and cancellation; null for neither.</param>
    /// <returns>The inverted picture, owned by the caller.</returns>
    /// <exception cref="PromptTooLongException">The prompt does not fit the model's context.</exception>
    /// <exception cref="UnknownWordsException">The model knows none of the words that describe the picture.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static InvertedPicture Invert(this IDiffusionModel model, RgbImage image, string prompt, InvertOptions? options = null, RunControl? control = null)
    {
        options ??= InvertOptions.Default;
        control ??= new RunControl();
        RgbImage prepared = options.Prepare(image, model.Sizes);
        IReadOnlyList<string> notes = model.CheckPrompts(prompt);
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = model.Encode([prepared]);
        Conditioning empty = model.Embed("");
        InversionProblem problem = new()
        {
            Predictor = control.Watched(model.Predictor()),
            Grid = model.Grid(options.Steps),
            Latents = latents,
            Conditional = model.Embed(prompt),
            Unconditional = empty,
            GuidanceScale = options.GuidanceScale,
        };
        InversionResult result = (options.Method ?? new NullTextInversion()).Invert(problem, control.Progress, control.Cancellation);
        try
        {
            Tensor rebuilt = result.Reconstruction ?? Sampler.Run(problem.Predictor, problem.Grid, result.Plan, cancellation: control.Cancellation);
            return new InvertedPicture
            {
                Image = prepared,
                Prompt = prompt,
                RoundTrip = model.Decode(latents)[0],
                Reconstruction = model.Decode(rebuilt)[0],
                Inversion = result,
                Grid = problem.Grid,
                Options = options,
                Notes = notes,
                EmbeddingDistance = [.. problem.Grid.Moves.Select(step => Distance(result.Unconditional, step.Step, empty.Tokens))],
            };
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Edits an inverted picture through its prompt.</summary>
    /// <param name="model">The model of the inversion; borrowed.</param>
    /// <param name="picture">The inverted picture; invert once, edit as often as you like.</param>
    /// <param name="prompt">What the edited picture should show; its own prompt with <see cref="EditOptions.Weights"/> to re-weight words only.</param>
    /// <param name="options">Kind of edit, weights, local blend; null for the released defaults.</param>
    /// <param name="control">Progress and cancellation; null for neither.</param>
    /// <returns>The edited picture, owned by the caller.</returns>
    /// <exception cref="PromptTooLongException">The prompt does not fit the model's context.</exception>
    /// <exception cref="WordNotInPromptException">A word of the options is in neither prompt.</exception>
    /// <exception cref="ArgumentException">The options have weights of words, and the editor does not re-weight.</exception>
    /// <exception cref="UnknownWordsException">The model knows none of the words that describe the edited picture.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static EditedPicture Edit(
        this IDiffusionModel model,
        InvertedPicture picture,
        string prompt,
        EditOptions? options = null,
        RunControl? control = null
    ) => model.Edit(picture.Inversion, picture.Grid.Steps, picture.Prompt, prompt, options, control);

    /// <summary>Edits an inverted picture from a run folder or from an <see cref="IInversion"/>.</summary>
    /// <param name="model">The model of the inversion; borrowed.</param>
    /// <param name="inversion">The inversion of one picture; borrowed.</param>
    /// <param name="steps">Its number of steps T.</param>
    /// <param name="source">Its prompt.</param>
    /// <param name="prompt">What the edited picture should show.</param>
    /// <param name="options">Kind of edit, weights, local blend; null for the released defaults.</param>
    /// <param name="control">Progress and cancellation; null for neither.</param>
    /// <returns>The edited picture, owned by the caller.</returns>
    /// <exception cref="WordNotInPromptException">A word of the options is in neither prompt.</exception>
    /// <exception cref="ArgumentException">The options have weights of words, and the editor does not re-weight.</exception>
    /// <exception cref="UnknownWordsException">The model knows none of the words that describe the edited picture.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static EditedPicture Edit(
        this IDiffusionModel model,
        InversionResult inversion,
        int steps,
        string source,
        string prompt,
        EditOptions? options = null,
        RunControl? control = null
    )
    {
        options ??= new EditOptions();
        if (options.Weights.Count > 0 && !options.EditorOptions.TakesWeights)
            throw new ArgumentException(
                $"the editor {options.EditorOptions.Id} does not re-weight words: use {PromptToPromptOptions.EditorId}, or leave the weights out",
                nameof(options)
            );
        IReadOnlyList<string> notes = prompt == source ? [] : model.CheckPrompts(prompt);
        EditTarget target = options.Target(model.Tokenizer, source, prompt);
        using DisposeScope scope = NewDisposeScope();
        EditResult result = model.Edit(inversion, model.Grid(steps), source, [target], options.GuidanceScale, options.EditorOptions, control);
        try
        {
            return new EditedPicture
            {
                Prompt = prompt,
                Image = model.Decode(result.Target())[0],
                Result = result,
                Options = options,
                Notes = notes,
            };
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Several edits of one inverted picture, side by side in one batch.</summary>
    /// <param name="model">The model of the inversion; borrowed.</param>
    /// <param name="inversion">The inversion of one picture; borrowed.</param>
    /// <param name="grid">Its steps.</param>
    /// <param name="source">Its prompt.</param>
    /// <param name="targets">At least one; <see cref="EditOptions.Target"/> creates them.</param>
    /// <param name="guidanceScale">w; null uses the inversion's.</param>
    /// <param name="editor">The editor and its options; null for prompt-to-prompt.</param>
    /// <param name="control">Progress and cancellation; null for neither.</param>
    /// <returns>Latents of source and targets, owned by the caller.</returns>
    public static EditResult Edit(
        this IDiffusionModel model,
        InversionResult inversion,
        TimestepGrid grid,
        string source,
        IReadOnlyList<EditTarget> targets,
        double? guidanceScale = null,
        EditorOptions? editor = null,
        RunControl? control = null
    )
    {
        control ??= new RunControl();
        EditSession session = new(prompts => model.Embed(prompts), hook => control.Watched(model.Predictor(hook)), grid, model.Tokenizer.Tokenize(""));
        ImageEdit edit = new() { Source = model.Tokenizer.Tokenize(source).EnsureFits(), Targets = targets };
        return session.Edit(inversion, [edit], editor, guidanceScale, control.Progress, control.Cancellation);
    }

    /// <summary>Checks prompts before any work: rejects those that are too long or that mean nothing to the model.</summary>
    /// <param name="model">The model; borrowed.</param>
    /// <param name="prompts">The prompts.</param>
    /// <returns>Parts that the model does not understand, one sentence each.</returns>
    /// <exception cref="PromptTooLongException">A prompt does not fit the model's context.</exception>
    /// <exception cref="UnknownWordsException">The model knows none of the words that describe a picture.</exception>
    public static IReadOnlyList<string> CheckPrompts(this IDiffusionModel model, params IReadOnlyList<string> prompts)
    {
        foreach (string prompt in prompts)
            model.Tokenizer.Tokenize(prompt).EnsureFits();
        return ClosedVocabulary.Check(model.Name, model.Tokenizer, prompts);
    }

    private static double Distance(StepEmbeddings embeddings, int step, Tensor empty)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        return embeddings.At(step).Tokens.narrow(0, 0, 1).sub(empty).norm().div(empty.norm()).to(ScalarType.Float64).item<double>();
    }
}
