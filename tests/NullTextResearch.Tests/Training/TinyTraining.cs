using NullTextResearch.Perception;
using NullTextResearch.Text;
using NullTextResearch.Training;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Training;

/// <summary>A recipe whose whole run takes seconds, and folders that vanish.</summary>
internal static class TinyTraining
{
    public static TrainingRecipe Recipe { get; } =
        new()
        {
            ImageSize = 32,
            Vae = new VaeConfig
            {
                BlockOutChannels = [8, 8],
                LayersPerBlock = 1,
                NormNumGroups = 4,
                SampleSize = 32,
            },
            Text = new ClipTextConfig
            {
                HiddenSize = 16,
                IntermediateSize = 16,
                Layers = 1,
                Heads = 2,
            },
            UNet = new UNetConfig
            {
                SampleSize = 16,
                BlockOutChannels = [8, 16],
                DownHasAttention = [false, true],
                UpHasAttention = [true, false],
                LayersPerBlock = 1,
                Heads = [2, 2],
                CrossAttentionDim = 16,
                NormNumGroups = 4,
            },
            Clip = new ClipConfig
            {
                Text = new ClipTextConfig
                {
                    HiddenSize = 16,
                    IntermediateSize = 32,
                    Layers = 1,
                    Heads = 2,
                },
                Vision = new ClipVisionConfig
                {
                    HiddenSize = 32,
                    IntermediateSize = 64,
                    Layers = 1,
                    Heads = 2,
                    PatchSize = 8,
                },
                ProjectionSize = 16,
            },
            TrainingScenes = 24,
            ActivationDtype = ScalarType.Float32,
            VaeStage = new StageSchedule
            {
                Steps = 6,
                Batch = 4,
                Parts = 2,
                WarmUp = 2,
                Rate = 2e-3,
            },
            UNetStage = new StageSchedule
            {
                Steps = 5,
                Batch = 4,
                Parts = 2,
                WarmUp = 2,
            },
            ClassifierStage = new StageSchedule
            {
                Steps = 3,
                Batch = 8,
                Parts = 2,
                WarmUp = 1,
            },
            ClipStage = new StageSchedule
            {
                Steps = 3,
                Batch = 8,
                Parts = 2,
                WarmUp = 1,
            },
            DecoderStage = new StageSchedule
            {
                Steps = 3,
                Batch = 4,
                Parts = 2,
                WarmUp = 1,
            },
        };

    public static TrainingRunOptions Options(string folder, int workers = 1, Action<TrainingProgress>? told = null) =>
        new()
        {
            Folder = folder,
            Workers = workers,
            LogEvery = 1,
            SampleMinutes = double.PositiveInfinity,
            Progress = told is null ? null : new Teller(told),
        };

    public static string Folder() => Directory.CreateTempSubdirectory("nulltext-training-").FullName;

    private sealed class Teller(Action<TrainingProgress> told) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => told(value);
    }
}
