using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Loading;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;
using Xunit;

namespace NullTextResearch.Tests.Loading;

/// <summary>Schedules of every scheduler class, with fields left out.</summary>
public sealed class ScheduleReaderTests
{
    private const string Stable = "\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\"";

    [Theory]
    [InlineData("DDIMScheduler", true, TimestepSpacing.Leading)]
    [InlineData("DDPMScheduler", true, TimestepSpacing.Leading)]
    [InlineData("PNDMScheduler", false, TimestepSpacing.Leading)]
    [InlineData("EulerDiscreteScheduler", true, TimestepSpacing.Linspace)]
    [InlineData("EulerAncestralDiscreteScheduler", true, TimestepSpacing.Linspace)]
    [InlineData("LMSDiscreteScheduler", true, TimestepSpacing.Linspace)]
    [InlineData("DPMSolverMultistepScheduler", true, TimestepSpacing.Linspace)]
    [InlineData("UniPCMultistepScheduler", true, TimestepSpacing.Linspace)]
    public void Read_FieldsLeftOut_HaveTheDefaultsOfTheClassWithANote(string name, bool finalIsOne, TimestepSpacing spacing)
    {
        (ScheduleConfig config, List<string> notes) = Read($$"""{"_class_name": "{{name}}"}""");
        Assert.Equal(
            new ScheduleConfig
            {
                BetaStart = 0.0001,
                BetaEnd = 0.02,
                Curve = BetaCurve.Linear,
                FinalIsOne = finalIsOne,
                Spacing = spacing,
            },
            config
        );
        string note = Assert.Single(notes);
        Assert.Contains($"the defaults of {name} apply: beta_schedule linear", note, StringComparison.Ordinal);
        Assert.Contains($"set_alpha_to_one {(finalIsOne ? "true" : "false")}", note, StringComparison.Ordinal);
        Assert.Contains("beta_start 0.0001, beta_end 0.02", note, StringComparison.Ordinal);
        Assert.Equal(spacing == TimestepSpacing.Linspace, note.Contains("timestep_spacing linspace", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("DDIMScheduler", true)]
    [InlineData("PNDMScheduler", false)]
    public void Read_OnlyTheLastLevelLeftOut_IsThatOfTheClass(string name, bool finalIsOne)
    {
        (ScheduleConfig config, List<string> notes) = Read($$"""{"_class_name": "{{name}}", {{Stable}}}""");
        Assert.Equal(new ScheduleConfig { FinalIsOne = finalIsOne }, config);
        Assert.Contains($"set_alpha_to_one {(finalIsOne ? "true" : "false")}", Assert.Single(notes), StringComparison.Ordinal);
        Assert.Equal(finalIsOne ? 1 : NoiseSchedule.StableDiffusion.At(0).AlphaBar, NoiseSchedule.Of(config).Final.AlphaBar);
    }

    [Theory]
    [InlineData("", "names no class")]
    [InlineData("\"_class_name\": \"MyScheduler\", ", "MyScheduler is unknown")]
    public void Read_NoKnownClass_TakesStableDiffusionsValuesWithANote(string named, string says)
    {
        (ScheduleConfig config, List<string> notes) = Read($$"""{ {{named}} "beta_start": 0.001, "beta_end": 0.02 }""");
        Assert.Equal(new ScheduleConfig { BetaStart = 0.001, BetaEnd = 0.02 }, config);
        Assert.Contains(says, Assert.Single(notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ThePublishedConfig_HasNoNote()
    {
        (ScheduleConfig config, List<string> notes) = Read(
            $$"""{"_class_name": "PNDMScheduler", {{Stable}}, "num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null, "clip_sample": false}"""
        );
        Assert.Equal(new ScheduleConfig(), config);
        Assert.Empty(notes);
    }

    [Theory]
    [InlineData("\"thresholding\": true", "thresholding is true but not followed")]
    [InlineData("\"clip_sample\": true", "clip_sample is true but not followed")]
    [InlineData("\"use_karras_sigmas\": true", "use_karras_sigmas is true but not followed")]
    [InlineData("\"steps_offset\": 0", "steps_offset is 0 and was taken as 1")]
    public void Read_OptionThatIsNotFollowed_IsANote(string option, string says)
    {
        (_, List<string> notes) = Read($$"""{"_class_name": "DDIMScheduler", {{Stable}}, "set_alpha_to_one": false, {{option}}}""");
        Assert.Contains(says, Assert.Single(notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"num_train_timesteps\": -1", "num_train_timesteps")]
    [InlineData("\"num_train_timesteps\": 0", "num_train_timesteps")]
    [InlineData("\"num_train_timesteps\": 2147483647", "num_train_timesteps")]
    [InlineData("\"num_train_timesteps\": 1000.5", "num_train_timesteps")]
    [InlineData("\"beta_start\": 0", "beta_start")]
    [InlineData("\"beta_end\": 1", "beta_end")]
    [InlineData("\"beta_end\": 1e999", "beta_end")]
    [InlineData("\"set_alpha_to_one\": \"yes\"", "set_alpha_to_one")]
    [InlineData("\"thresholding\": 1", "thresholding")]
    [InlineData("\"trained_betas\": [0.1]", "trained_betas")]
    public void Read_NumbersThatMakeNoSchedule_AreRefusedByFileAndField(string field, string name)
    {
        ModelFormatException e = Assert.Throws<ModelFormatException>(() => Read($$"""{"_class_name": "DDIMScheduler", {{field}}}"""));
        Assert.StartsWith("s.json: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(name, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public void Of_NumberOfTimestepsOutOfRange_IsRefusedBeforeATableIsMade(int timesteps) =>
        Assert.Contains(
            "between 2 and 100000 timesteps",
            Assert.Throws<ArgumentOutOfRangeException>(() => NoiseSchedule.Of(new ScheduleConfig { TrainTimesteps = timesteps })).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(0, 0.01)]
    [InlineData(0.001, 1)]
    [InlineData(double.NaN, 0.01)]
    public void Of_BetaOutOfRange_IsRefused(double start, double end) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseSchedule.Of(new ScheduleConfig { BetaStart = start, BetaEnd = end }));

    [Fact]
    public void Of_LinearBetas_FollowTheFormula()
    {
        NoiseSchedule schedule = NoiseSchedule.Of(
            new ScheduleConfig
            {
                BetaStart = 0.0001,
                BetaEnd = 0.02,
                Curve = BetaCurve.Linear,
            }
        );
        double product = 1;
        for (int t = 0; t < 1000; t++)
        {
            product *= 1 - (0.0001 + ((0.02 - 0.0001) * t / 999));
            Assert.Equal(1, schedule.At(t).AlphaBar / product, 5e-6);
        }
        // Ho et al. 2020: almost nothing of the image is left.
        Assert.InRange(schedule.At(999).AlphaBar, 4.0e-5, 4.1e-5);
    }

    [Fact]
    public void Find_ZeroTerminalSignalWithAPredictorOfNoise_IsRefusedWithTheFolder()
    {
        string folder = Directory.CreateTempSubdirectory("ntr-schedule-").FullName;
        try
        {
            ModelFiles.WriteFolder(folder, OriginalModel.TinyV1.WithVocabulary(), hollow: true);
            File.WriteAllText(
                Path.Combine(folder, "scheduler", "scheduler_config.json"),
                $$"""{"_class_name": "DDIMScheduler", {{Stable}}, "set_alpha_to_one": false, "rescale_betas_zero_snr": true}"""
            );
            string message = Assert.Throws<ModelFormatException>(() => ModelSource.Find(folder)).Message;
            Assert.Contains(folder, message, StringComparison.Ordinal);
            Assert.Contains("predicts velocity", message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (ScheduleConfig Config, List<string> Notes) Read(string json)
    {
        List<string> notes = [];
        using JsonDocument document = JsonDocument.Parse(json);
        return (ScheduleReader.Read(new ConfigReader(document.RootElement, "s.json"), notes), notes);
    }
}
