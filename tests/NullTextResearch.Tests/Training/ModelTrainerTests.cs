using System.Text.Json;
using NullTextResearch.Training;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using Xunit;

namespace NullTextResearch.Tests.Training;

public sealed class ModelTrainerTests : IDisposable
{
    private readonly List<string> _folders = [];

    [Fact]
    public void Train_InterruptedTwice_EndsWithTheVectorsOfAnUninterruptedRun()
    {
        string whole = Folder(), parts = Folder();
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
    public void Train_OtherSeed_EndsElsewhere()
    {
        string one = Folder(), other = Folder();
        Train(one, TrainingStages.Vae, 1);
        using (ModelTrainer trainer = new(TinyTraining.Recipe with { Seed = 2 }, TinyTraining.Options(other))) trainer.Train(TrainingStages.Vae);

        Assert.NotEqual(File.ReadAllBytes(Path.Combine(one, "vae.weights")), File.ReadAllBytes(Path.Combine(other, "vae.weights")));
    }

    [Fact]
    public void Export_AfterAllStages_WritesAFolderThatTheConfigsDescribe()
    {
        string run = Folder(), model = Folder();
        Train(run, TrainingStages.All, workers: 2);
        using (ModelTrainer trainer = new(TinyTraining.Recipe, TinyTraining.Options(run))) trainer.Export(model);

        UNetConfig unet = UNetConfig.Read(ConfigReader.FromFile(Path.Combine(model, "unet", "config.json")));
        VaeConfig vae = VaeConfig.Read(ConfigReader.FromFile(Path.Combine(model, "vae", "config.json")));
        Assert.Equal(TinyTraining.Recipe.UNet.BlockOutChannels, unet.BlockOutChannels);
        Assert.Equal(TinyTraining.Recipe.UNet.DownHasAttention, unet.DownHasAttention);
        Assert.Equal(TinyTraining.Recipe.UNet.Heads, unet.Heads);
        Assert.Equal(TinyTraining.Recipe.Vae.BlockOutChannels, vae.BlockOutChannels);

        using UNet2DConditionModel network = new(unet);
        string[] keys = Keys(Path.Combine(model, "unet", "diffusion_pytorch_model.safetensors"));
        Assert.Equal(network.Weights.Trainable.Select(w => w.Key).Order(StringComparer.Ordinal), keys);
        Assert.Contains("encoder.mid_block.attentions.0.proj_attn.weight", Keys(Path.Combine(model, "vae", "diffusion_pytorch_model.safetensors")));
        Assert.True(File.Exists(Path.Combine(model, "classifier", "model.safetensors")));
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
        using ModelTrainer trainer = new(TinyTraining.Recipe, TinyTraining.Options(folder, told: p =>
        {
            if (p.Stage == stage && p.Step == step) stop.Cancel();
        }));
        Assert.Throws<OperationCanceledException>(() => trainer.Train(TrainingStages.UNet, stop.Token));
    }

    private static byte[] Vectors(string checkpoint)
    {
        using BinaryReader reader = new(File.OpenRead(checkpoint));
        reader.ReadBytes(9);
        reader.ReadString();
        return reader.ReadBytes((int)(reader.BaseStream.Length - reader.BaseStream.Position));
    }

    private static string[] Keys(string safetensors)
    {
        using BinaryReader reader = new(File.OpenRead(safetensors));
        using JsonDocument header = JsonDocument.Parse(reader.ReadBytes((int)reader.ReadInt64()));
        return [.. header.RootElement.EnumerateObject().Select(p => p.Name).Where(n => n != "__metadata__").Order(StringComparer.Ordinal)];
    }

    private string Folder()
    {
        _folders.Add(TinyTraining.Folder());
        return _folders[^1];
    }
}
