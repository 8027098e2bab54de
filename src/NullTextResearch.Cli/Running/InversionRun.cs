using System.Diagnostics;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.Metrics;
using NullTextResearch.Tensors;

namespace NullTextResearch.Cli.Running;

/// <summary>One inversion with its run folder: read if complete, resumed if interrupted, computed if new.</summary>
internal sealed record InversionRun
{
    // The state is saved often enough that little is lost, and rarely enough that nobody waits for the disk.
    private const int StepsBetweenStates = 5;
    private static readonly TimeSpan TimeBetweenStates = TimeSpan.FromSeconds(20);

    /// <summary>The model as requested.</summary>
    public required ModelRequest Model { get; init; }

    /// <summary>Where it was found.</summary>
    public required ModelSource Found { get; init; }

    /// <summary>The model; borrowed.</summary>
    public required StableDiffusion Network { get; init; }

    /// <summary>Name of the image, for the manifest.</summary>
    public required string ImageName { get; init; }

    /// <summary>The image, at the size at which it is inverted.</summary>
    public required RgbImage Source { get; init; }

    /// <summary>What it shows.</summary>
    public required string Prompt { get; init; }

    /// <summary>The method.</summary>
    public required IInversion Inversion { get; init; }

    /// <summary>T.</summary>
    public required int Steps { get; init; }

    /// <summary>w.</summary>
    public required double Guidance { get; init; }

    /// <summary>The run folder.</summary>
    public required RunFolder Folder { get; init; }

    /// <summary>Its name as typed, for messages.</summary>
    public required string FolderName { get; init; }

    /// <summary>Run again, whatever the folder holds.</summary>
    public required bool Restart { get; init; }

    /// <summary>Makes the run, or reads it if it is complete.</summary>
    /// <returns>Its manifest, and whether it was complete before.</returns>
    /// <exception cref="CommandException">The folder holds another run.</exception>
    public (InversionManifest Manifest, bool WasComplete) Make(RunContext context)
    {
        string identity = RunFolder.ModelIdentity(Found);
        string key = RunFolder.Key(Source, Prompt, identity, Inversion.Name, Steps, Guidance, Inversion.Options, Found.Options.Numerics, Inversion.Revision);
        if (Folder.IsComplete && !Restart)
        {
            InversionManifest earlier = Folder.ReadManifest();
            if (earlier.Key != key)
                throw new CommandException(
                    $"{Folder.Path} holds another run ({earlier.Method} of {earlier.Image}, \"{earlier.Prompt}\"). Choose another --out, or give "
                        + "--restart to replace it."
                );
            // The earlier process may have been killed after its last file, before it released the folder.
            OutputLock.Tidy(Folder.Path);
            return (earlier, true);
        }

        InvertOptions options = new()
        {
            Method = new Resumed(context, this, key),
            Steps = Steps,
            GuidanceScale = Guidance,
            Size = ImageSizing.AsIs,
        };
        using InvertedPicture inverted = context.Track(progress =>
            Network.Invert(Source, Prompt, options, new RunControl { Progress = progress, Cancellation = context.Cancel })
        );
        InversionResult result = inverted.Inversion;
        InversionManifest manifest = new()
        {
            Key = key,
            Finished = DateTimeOffset.UtcNow,
            Model = Network.Name,
            ModelFolder = Model.IsEmbedded ? null : Found.Path,
            ModelVariant = Model.Variant,
            ModelPrediction = Model.Prediction,
            ModelTokenizer = Model.Tokenizer,
            ModelPrecision = Precision.NameOf(Network.Dtype),
            ModelVaePrecision = Model.VaePrecision,
            ModelMemory = Network.Memory == new MemoryOptions() ? null : Network.Memory,
            GradientBackOffs = result.GradientBackOffs,
            ModelIdentity = identity,
            Image = ImageName,
            ImageSize = PixelSize.Of(Source),
            Prompt = Prompt,
            Method = result.Method,
            Steps = Steps,
            GuidanceScale = Guidance,
            Options = RunFolder.ToJson(Inversion.Options),
            Evaluations = result.EvaluationsPerImage,
            Backwards = result.BackwardsPerImage,
            Seconds = result.Elapsed.TotalSeconds,
            Threads = context.Threads,
            VaePsnr = inverted.RoundTripPsnr,
            Psnr = inverted.Psnr,
            PsnrAgainstVae = Psnr.Of(inverted.Reconstruction, inverted.RoundTrip),
        };
        Folder.Save(result, manifest, Source, inverted.RoundTrip, inverted.Reconstruction);
        return (manifest, false);
    }

    /// <summary>The requested method; null-text inversion saves its state and resumes where an earlier run stopped.</summary>
    private sealed class Resumed(RunContext context, InversionRun run, string key) : IInversion
    {
        public string Name => run.Inversion.Name;

        public object Options => run.Inversion.Options;

        public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
        {
            // Only null-text inversion can be resumed; the others are quick or have no state to save.
            if (run.Inversion is not NullTextInversion nullText)
                return run.Inversion.Invert(problem, progress, cancellation);
            SavedNullTextState? saved = null;
            string? note = null;
            Stopwatch clock = Stopwatch.StartNew();
            if (!run.Restart && run.Folder.TryLoadState(key, problem.Latents.device, out saved, out note))
            {
                context.Error.WriteLine($"resuming after step {saved.State.StepsDone} of {run.Steps}, where an earlier run stopped");
                context.Kept = Kept(saved.State.StepsDone);
            }

            if (note is not null)
                context.Error.WriteLine($"note: {note}; the inversion starts from scratch");
            using (saved)
            {
                return nullText.Invert(problem, saved?.State, SaveNowAndThen, progress, cancellation);
            }

            void SaveNowAndThen(NullTextState state)
            {
                // The last state is followed by the result itself. On cancellation, the steps since the last saved state are worth a file too.
                bool due = state.StepsDone % StepsBetweenStates == 0 || clock.Elapsed > TimeBetweenStates || context.Cancel.IsCancellationRequested;
                if (!due || state.StepsDone == run.Steps)
                    return;
                run.Folder.SaveState(key, state);
                clock.Restart();
                context.Kept = Kept(state.StepsDone);
            }

            string Kept(int done) => $"{done} of {run.Steps} steps are kept in {run.FolderName}; the same command resumes from there.";
        }
    }
}
