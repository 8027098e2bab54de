using NullTextResearch.Images;
using NullTextResearch.Perception;
using NullTextResearch.Scenes;
using NullTextResearch.Training;
using NullTextResearch.Weights;
using Xunit;

namespace NullTextResearch.Tests.Training;

public sealed class ModelTrainerTests : IDisposable
{
    private readonly List<string> _folders = [];

    [Fact]
    public void Train_InterruptedTwice_EndsWithTheVectorsOfAnUninterruptedRun()
    {
        string whole = Folder(),
            parts = Folder();
        Train(whole, TrainingStages.UNet, workers: 1);

        // The second run also has another number of workers: sums of gradients keep their order.
        StopAfter(parts, "vae", 3);
        StopAfter(parts, "unet", 2);
        Train(parts, TrainingStages.UNet, workers: 2);

        foreach (string file in (string[])["vae.weights", "latents.bin"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(whole, file)), File.ReadAllBytes(Path.Combine(parts, file)));
        // The checkpoint also holds seconds; its vectors come after the header.
        Assert.Equal(Vectors(Path.Combine(whole, "unet.checkpoint")), Vectors(Path.Combine(parts, "unet.checkpoint")));
    }

    [Fact]
    public void Train_FilesThatCanBeMadeAgainAreDamaged_MakesThemAgainAndSaysSo()
    {
        string folder = Folder();
        Train(folder, TrainingStages.UNet, workers: 1);
        Dictionary<string, byte[]> before = ((string[])["vae.weights", "latents.bin"]).ToDictionary(f => f, f => File.ReadAllBytes(Path.Combine(folder, f)));
        byte[] unet = Vectors(Path.Combine(folder, "unet.checkpoint"));
        foreach ((string file, byte[] content) in before)
        {
            byte[] bad = [.. content];
            bad[content.Length / 2] ^= 4;
            File.WriteAllBytes(Path.Combine(folder, file), bad);
        }

        List<string> told = [];
        using (ModelTrainer trainer = new(TinyTraining.Recipe, TinyTraining.Options(folder, told: p => told.Add(p.Message))))
            trainer.Train(TrainingStages.UNet);

        foreach ((string file, byte[] content) in before)
        {
            Assert.Equal(content, File.ReadAllBytes(Path.Combine(folder, file)));
            Assert.Contains(
                told,
                line =>
                    line.Contains(file, StringComparison.Ordinal)
                    && line.Contains("checksum", StringComparison.Ordinal)
                    && (line.Contains("encoded again", StringComparison.Ordinal) || line.Contains("rebuilt from", StringComparison.Ordinal))
            );
        }

        Assert.Equal(unet, Vectors(Path.Combine(folder, "unet.checkpoint")));
    }

    [Fact]
    public void Train_TheOnlyStateIsDamaged_RefusesAndLosesNothing()
    {
        string folder = Folder();
        Train(folder, TrainingStages.Vae, workers: 1);
        foreach (string file in (string[])["vae.weights", "vae.checkpoint"])
        {
            using FileStream stream = File.OpenWrite(Path.Combine(folder, file));
            stream.Seek(-5, SeekOrigin.End);
            stream.Write([1, 2, 3]);
        }

        File.Delete(TrainingCheckpoint.Previous(Path.Combine(folder, "vae.checkpoint")));
        TrainingFileException error = Assert.Throws<TrainingFileException>(() => Train(folder, TrainingStages.Vae, workers: 1));
        Assert.Contains("vae.checkpoint", error.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder, "vae.checkpoint")));
    }

    [Fact]
    public void Train_OtherSeed_EndsElsewhere()
    {
        string one = Folder(),
            other = Folder();
        Train(one, TrainingStages.Vae, 1);
        using (ModelTrainer trainer = new(TinyTraining.Recipe with { Seed = 2 }, TinyTraining.Options(other)))
            trainer.Train(TrainingStages.Vae);

        Assert.NotEqual(File.ReadAllBytes(Path.Combine(one, "vae.weights")), File.ReadAllBytes(Path.Combine(other, "vae.weights")));
    }

    [Fact]
    public void Train_FolderInUseByAnotherRun_IsRefused()
    {
        string folder = Folder();
        IOException? refused = null;
        using ModelTrainer first = new(
            TinyTraining.Recipe,
            TinyTraining.Options(
                folder,
                told: p =>
                {
                    // While the first run trains, a second one on the same checkpoints would undo its steps.
                    if (refused is null && p.Stage == "vae")
                        refused = Assert.ThrowsAny<IOException>(() => Train(folder, TrainingStages.Vae, workers: 1));
                }
            )
        );
        first.Train(TrainingStages.Vae);

        Assert.IsType<OutputInUseException>(refused);
        Assert.Contains("another process is writing there", refused.Message, StringComparison.Ordinal);
        Train(folder, TrainingStages.Vae, workers: 1);
    }

    [Fact]
    public void Export_AfterAllStages_WritesAModelFolderThatLoads()
    {
        string run = Folder(),
            model = Folder();
        Train(run, TrainingStages.All, workers: 2);
        using (ModelTrainer trainer = new(TinyTraining.Recipe, TinyTraining.Options(run)))
            trainer.Export(model);

        using StableDiffusion loaded = StableDiffusion.Load(model);
        Assert.Equal(TinyTraining.Recipe.UNet.BlockOutChannels, loaded.UNet.Config.BlockOutChannels);
        Assert.Equal(TinyTraining.Recipe.UNet.DownHasAttention, loaded.UNet.Config.DownHasAttention);
        Assert.Equal(TinyTraining.Recipe.UNet.Heads, loaded.UNet.Config.Heads);
        Assert.Equal(TinyTraining.Recipe.Vae.BlockOutChannels, loaded.Vae.Config.BlockOutChannels);
        Assert.Equal(32, loaded.ImageSize);
        using SafetensorsFile vae = SafetensorsFile.Open(Path.Combine(model, "vae", "diffusion_pytorch_model.safetensors"));
        Assert.True(vae.Has("encoder.mid_block.attentions.0.proj_attn.weight"));
        Assert.All(vae.Entries, e => Assert.Equal(TorchSharp.torch.ScalarType.Float16, e.Dtype));
        using SceneClassifier judge = SceneClassifier.Load(model);
        Assert.True(judge.Weights.All.All(w => w.HasValue));
        using ClipSimilarity clip = ClipSimilarity.Load(Path.Combine(model, "clip"));
        Assert.Equal(29, clip.Model.Config.Text.ContextLength);
        using SceneRenderer renderer = new();
        RgbImage picture = new(32, 32, renderer.Render(ToyScenes.Sample(1, SceneSplit.HeldOut, TinyTraining.Recipe.Scenes), 32));
        Assert.InRange(clip.OfText(picture, "a cat in the snow"), 0, 100);
        Assert.Equal(1, clip.OfImages(picture, picture), 5);
    }

    /// <summary>A few steps already find more captions than chance (1 in 32) does.</summary>
    [Fact]
    public void Train_Clip_FindsCaptionsOfUnseenPictures()
    {
        TrainingRecipe recipe = TinyTraining.Recipe with
        {
            ClipStage = TinyTraining.Recipe.ClipStage with { Steps = 150, Batch = 64, Rate = 4e-3, WarmUp = 10 },
        };
        string run = Folder();
        using (ModelTrainer trainer = new(recipe, TinyTraining.Options(run, workers: 2)))
            trainer.Train(TrainingStages.Clip);
        string[] last = File.ReadAllLines(Path.Combine(run, "clip.csv"))[^1].Split(',');
        Assert.InRange(double.Parse(last[3], System.Globalization.CultureInfo.InvariantCulture), 0.1, 1);
    }

    [Fact]
    public void Train_FromAnotherModelsAutoencoder_BeginsThere_AndRefusesAnotherArchitecture()
    {
        string run = Folder(),
            model = Folder(),
            further = Folder();
        Train(run, TrainingStages.UNet, workers: 1);
        using (ModelTrainer trainer = new(TinyTraining.Recipe, TinyTraining.Options(run)))
            trainer.Export(model);

        TrainingRecipe recipe = TinyTraining.Recipe with { AutoencoderFrom = model, VaeStage = TinyTraining.Recipe.VaeStage with { Rate = 1e-7 } };
        double[] Losses(string folder) =>
            [
                .. File.ReadAllLines(Path.Combine(folder, "vae.csv"))[1..]
                    .Select(r => double.Parse(r.Split(',')[2], System.Globalization.CultureInfo.InvariantCulture))
                    .Where(double.IsFinite),
            ];
        using (ModelTrainer trainer = new(recipe, TinyTraining.Options(further)))
            trainer.Train(TrainingStages.Vae);
        Assert.True(Losses(further)[0] < Losses(run)[0]);

        recipe = recipe with { Vae = recipe.Vae with { BlockOutChannels = [8, 12] } };
        using ModelTrainer other = new(recipe, TinyTraining.Options(Folder()));
        Assert.Contains("another architecture", Assert.Throws<TrainingFileException>(() => other.Train(TrainingStages.Vae)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_FromAnotherModel_BeginsWithItsNetworksAndItsWords()
    {
        string run = Folder(),
            model = Folder(),
            further = Folder(),
            same = Folder();
        TrainingRecipe first = TinyTraining.Recipe with { Domain = SceneDomain.First };
        using (ModelTrainer trainer = new(first, TinyTraining.Options(run)))
        {
            trainer.Train(TrainingStages.UNet);
            trainer.Export(model);
        }

        // A rate of nothing: what comes out is what went in.
        TrainingRecipe recipe = new()
        {
            ModelFrom = model,
            ImageSize = 32,
            TrainingScenes = 24,
            ActivationDtype = TorchSharp.torch.ScalarType.Float32,
            UNetStage = TinyTraining.Recipe.UNetStage with { Rate = 0 },
        };
        using (ModelTrainer trainer = new(recipe, TinyTraining.Options(further)))
        {
            trainer.Train(TrainingStages.UNet);
            trainer.Export(same);
        }

        using StableDiffusion old = StableDiffusion.Load(model),
            now = StableDiffusion.Load(same);
        Assert.Equal(29, now.Tokenizer.ContextLength);
        Assert.Equal(old.UNet.Config.BlockOutChannels, now.UNet.Config.BlockOutChannels);
        foreach ((WeightSet before, WeightSet after) in ((WeightSet, WeightSet)[])[(old.UNet.Weights, now.UNet.Weights), (old.Vae.Weights, now.Vae.Weights)])
            Assert.All(after.All, w => Assert.True(before.Find(w.Key)!.Value.allclose(w.Value, 0, 0), w.Key));
        const string Words = "text_model.embeddings.token_embedding.weight";
        foreach (string word in (string[])["cat", "next", "snow"])
        {
            long oldRow = old.Tokenizer.Tokenize(word).Ids[1],
                newRow = now.Tokenizer.Tokenize(word).Ids[1];
            Assert.NotEqual(oldRow, newRow);
            Assert.True(old.Text.Weights.Find(Words)!.Value[oldRow].allclose(now.Text.Weights.Find(Words)!.Value[newRow], 0, 0), word);
        }
    }

    [Fact]
    public void Export_SecondDomain_SaysSo_AndHasItsContext()
    {
        string run = Folder(),
            model = Folder();
        Train(run, TrainingStages.All, workers: 1);
        using (ModelTrainer trainer = new(TinyTraining.Recipe, TinyTraining.Options(run)))
            trainer.Export(model);
        Assert.Same(SceneDomain.Second, SceneClassifier.DomainOf(model));
        using StableDiffusion loaded = StableDiffusion.Load(model);
        Assert.Equal(29, loaded.Tokenizer.ContextLength);
        Assert.Equal(29, loaded.Text.Config.ContextLength);
        using TorchSharp.DisposeScope scope = TorchSharp.torch.NewDisposeScope();
        Assert.Equal([1, 29, 16], loaded.Embed("a cat next to a red balloon in the snow").Tokens.shape);
    }

    [Fact]
    public void Train_Autoencoder_ItsScaledLatentsHaveZeroMeanAndUnitVariancePerChannel()
    {
        string run = Folder(),
            model = Folder();
        Train(run, TrainingStages.UNet, workers: 2);
        using (ModelTrainer trainer = new(TinyTraining.Recipe, TinyTraining.Options(run)))
            trainer.Export(model);

        using TorchSharp.DisposeScope scope = TorchSharp.torch.NewDisposeScope();
        using StableDiffusion loaded = StableDiffusion.Load(model);
        using SceneRenderer renderer = new();
        // Other scenes than those the statistics come from.
        SceneDescription[] scenes = [.. Enumerable.Range(0, 400).Select(i => ToyScenes.Sample(i, SceneSplit.Train, TinyTraining.Recipe.Scenes))];
        TorchSharp.torch.Tensor latents = loaded.Vae.Encode(SceneBatch.Pixels(renderer, scenes, 32)).detach();
        for (int c = 0; c < 4; c++)
        {
            Assert.InRange(latents.select(1, c).mean().item<float>(), -0.15, 0.15);
            Assert.InRange(latents.select(1, c).std().item<float>(), 0.85, 1.15);
        }
    }

    [Fact]
    public void Export_BeforeTraining_SaysWhatIsMissing()
    {
        using ModelTrainer trainer = new(TinyTraining.Recipe, TinyTraining.Options(Folder()));

        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => trainer.Export(Folder()));
        Assert.Contains("train first", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folders.ForEach(f => Directory.Delete(f, recursive: true));

    private static void Train(string folder, TrainingStages stages, int workers)
    {
        using ModelTrainer trainer = new(TinyTraining.Recipe, TinyTraining.Options(folder, workers));
        trainer.Train(stages);
    }

    private static void StopAfter(string folder, string stage, long step)
    {
        using CancellationTokenSource stop = new();
        using ModelTrainer trainer = new(
            TinyTraining.Recipe,
            TinyTraining.Options(
                folder,
                told: p =>
                {
                    if (p.Stage == stage && p.Step == step)
                        stop.Cancel();
                }
            )
        );
        Assert.Throws<OperationCanceledException>(() => trainer.Train(TrainingStages.UNet, stop.Token));
    }

    private static byte[] Vectors(string checkpoint)
    {
        using BinaryReader reader = new(File.OpenRead(checkpoint));
        reader.ReadBytes(9);
        reader.ReadBytes(reader.ReadInt32());
        // The checksum at the end covers the seconds too.
        return reader.ReadBytes((int)(reader.BaseStream.Length - reader.BaseStream.Position) - 32);
    }

    private string Folder()
    {
        _folders.Add(TinyTraining.Folder());
        return _folders[^1];
    }
}
