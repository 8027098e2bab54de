using NullTextResearch.Perception;
using NullTextResearch.Scenes;
using NullTextResearch.SelfTest;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Trains the small model from scratch: autoencoder, text encoder and noise predictor, classifier.</summary>
public sealed class ModelTrainer : IDisposable
{
    private readonly TrainingRecipe _recipe;
    private readonly TrainingRunOptions _options;
    private readonly WorkerPool _pool;
    private readonly AutoencoderKL _vae;
    private readonly UNet2DConditionModel _unet;
    private readonly ClipTextModel _text;
    private readonly SceneClassifier _classifier;
    private readonly ClipModel _clip;
    private readonly ClipTokenizer _tokenizer;

    /// <summary>Starts a new run, or resumes the one in the folder.</summary>
    public ModelTrainer(TrainingRecipe recipe, TrainingRunOptions options)
    {
        _options = options;
        Directory.CreateDirectory(options.Folder);
        string words = Path.Combine(options.Folder, "tokenizer");
        // Written once, vocab.json last: the ids must not change during a run.
        if (!File.Exists(Path.Combine(words, "vocab.json")))
            ClipVocabularyBuilder.Build(recipe.Domain.Words).Save(words, recipe.Domain.Context);
        _tokenizer = ClipTokenizer.Load(words);
        if (recipe.ModelFrom is { } from)
        {
            using StableDiffusion model = StableDiffusion.Load(from);
            recipe = recipe with { Vae = model.Vae.Config, UNet = model.UNet.Config, Text = model.Text.Config };
        }
        ClipTextConfig Told(ClipTextConfig text) => text with { VocabSize = _tokenizer.VocabularySize, ContextLength = _tokenizer.ContextLength };
        _recipe = recipe with
        {
            Text = Told(recipe.Text),
            Clip = recipe.Clip with { Text = Told(recipe.Clip.Text), Vision = recipe.Clip.Vision with { ImageSize = recipe.ImageSize } },
        };
        _pool = new WorkerPool(options.Workers);
        _vae = new AutoencoderKL(_recipe.Vae);
        _unet = new UNet2DConditionModel(_recipe.UNet);
        _text = new ClipTextModel(_recipe.Text);
        _classifier = new SceneClassifier(_recipe.Domain);
        _clip = new ClipModel(_recipe.Clip);
    }

    /// <summary>Runs stages, skipping those that the folder shows as finished.</summary>
    /// <param name="stages">The stages to run; the autoencoder is always trained first if it is missing.</param>
    /// <param name="cancel">Stops after a checkpoint.</param>
    /// <exception cref="TrainingDivergedException">A loss became NaN.</exception>
    /// <exception cref="SelfTest.WrongArithmeticException">This machine computes wrong results in an operation that training needs.</exception>
    /// <exception cref="OutputInUseException">Another process is training in this folder.</exception>
    /// <exception cref="TrainingFileException">
    /// A file of the run is damaged and cannot be rebuilt without losing work, or it belongs to another recipe.
    /// </exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public void Train(TrainingStages stages = TrainingStages.All, CancellationToken cancel = default)
    {
        // Two processes on the same checkpoints would overwrite each other's steps.
        using OutputLock alone = OutputLock.OnFolder(_options.Folder);
        // Losses are in float32, activations in the recipe's precision.
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.Float32, _recipe.ActivationDtype])
            ArithmeticSelfTest.Require(dtype, _options.Device);
        VaeTrainer.Train(_vae, _recipe, _options, _pool, cancel);
        // Encoded latents do not depend on the decoder, but sample grids look better with the best one available.
        if (File.Exists(Path.Combine(_options.Folder, "decoder.checkpoint")))
            VaeTrainer.LoadDecoder(_vae, _recipe, _options, _pool);
        // The classifier is trained before the networks that it judges.
        if (stages.HasFlag(TrainingStages.Classifier))
            ClassifierTrainer.Train(_classifier, _vae, _recipe, _options, _pool, cancel);
        if (stages.HasFlag(TrainingStages.Clip))
            ClipTrainer.Train(_clip, _tokenizer, _vae, _recipe, _options, _pool, cancel);
        if (stages.HasFlag(TrainingStages.UNet))
        {
            Say("latents", $"encoding {_recipe.TrainingScenes} scenes");
            using LatentSet train = LatentSet.Make(
                _vae,
                _recipe,
                SceneSplit.Train,
                _recipe.TrainingScenes,
                _pool,
                _options.Device,
                Path.Combine(_options.Folder, "latents.bin"),
                note => Say("latents", note),
                cancel
            );
            if (_recipe.GroundingWeight > 0)
                train.AddMasks(_pool, cancel);
            using LatentSet heldOut = LatentSet.Make(_vae, _recipe, SceneSplit.HeldOut, 256, _pool, _options.Device, null, _ => { }, cancel);
            Say("unet", $"text encoder {_text.Weights.ParameterCount}, U-Net {_unet.Weights.ParameterCount} parameters");
            new UNetTrainer(_unet, _text, _tokenizer, _recipe, _options, _pool).Train(train, heldOut, _vae, cancel);
        }

        if (stages.HasFlag(TrainingStages.Decoder))
            VaeTrainer.TrainDecoder(_vae, _recipe, _options, _pool, cancel);
    }

    /// <summary>Writes the current state of the run as a model folder, with averaged weights in half precision.</summary>
    /// <param name="folder">The model folder; files in it are replaced.</param>
    /// <exception cref="InvalidOperationException">The run has no autoencoder or no U-Net yet.</exception>
    public void Export(string folder)
    {
        if (!File.Exists(Path.Combine(_options.Folder, "vae.weights")) || !File.Exists(Path.Combine(_options.Folder, "unet.checkpoint")))
            throw new InvalidOperationException($"{_options.Folder} lacks a finished autoencoder or a U-Net checkpoint: train first.");
        LoadAverages();
        ModelExport.Write(folder, _vae, _text, _unet, _tokenizer, Path.Combine(_options.Folder, "tokenizer"));
        if (File.Exists(Path.Combine(_options.Folder, "classifier.checkpoint")))
            ModelExport.WriteClassifier(folder, _classifier);
        if (File.Exists(Path.Combine(_options.Folder, "clip.checkpoint")))
            ModelExport.WriteClip(folder, _clip, _tokenizer, Path.Combine(_options.Folder, "tokenizer"));
    }

    private void LoadAverages()
    {
        VaeTrainer.Train(_vae, _recipe, _options, _pool, default);
        if (File.Exists(Path.Combine(_options.Folder, "decoder.checkpoint")))
            VaeTrainer.LoadDecoder(_vae, _recipe, _options, _pool);
        new UNetTrainer(_unet, _text, _tokenizer, _recipe, _options, _pool).LoadAverage();
        if (File.Exists(Path.Combine(_options.Folder, "classifier.checkpoint")))
            ClassifierTrainer.LoadAverage(_classifier, _recipe, _options, _pool);
        if (File.Exists(Path.Combine(_options.Folder, "clip.checkpoint")))
            ClipTrainer.LoadAverage(_clip, _recipe, _options, _pool);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pool.Dispose();
        _vae.Dispose();
        _unet.Dispose();
        _text.Dispose();
        _classifier.Dispose();
        _clip.Dispose();
    }

    private void Say(string stage, string message) => _options.Progress?.Report(new TrainingProgress(stage, 0, 0, double.NaN, $"{stage}: {message}"));
}
