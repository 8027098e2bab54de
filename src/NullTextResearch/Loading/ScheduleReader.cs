using NullTextResearch.Diffusion;
using NullTextResearch.Weights;

namespace NullTextResearch.Loading;

/// <summary>Reads the noise schedule of a diffusers-format folder.</summary>
public static class ScheduleReader
{
    /// <summary>Reads a <c>scheduler_config.json</c>, whatever scheduler wrote it: this library always runs DDIM on the schedule it describes.</summary>
    /// <param name="json">The config.</param>
    /// <exception cref="ModelFormatException">It asks for something not supported.</exception>
    public static ScheduleConfig Read(ConfigReader json)
    {
        json.RequireEqual("beta_schedule", json.Text("beta_schedule", "scaled_linear"), "scaled_linear");
        json.RequireAbsent("trained_betas");
        string prediction = json.Text("prediction_type", "epsilon"), spacing = json.Text("timestep_spacing", "leading");
        // clip_sample is ignored on purpose: the published pipelines run with it off, whatever an old config says.
        // So is steps_offset: they rewrite any other offset to 1, because with 0 the last step would be an identity.
        ScheduleConfig config = new()
        {
            BetaStart = json.Number("beta_start"),
            BetaEnd = json.Number("beta_end"),
            TrainTimesteps = json.Int("num_train_timesteps", 1000),
            FinalIsOne = json.Flag("set_alpha_to_one", false),
            StepsOffset = 1,
            Spacing = spacing switch
            {
                "leading" => TimestepSpacing.Leading,
                "trailing" => TimestepSpacing.Trailing,
                "linspace" => TimestepSpacing.Linspace,
                _ => throw new ModelFormatException($"timestep_spacing is {spacing}; only leading, trailing and linspace are supported here."),
            },
            Prediction = prediction switch
            {
                "epsilon" => PredictionType.Epsilon,
                "v_prediction" => PredictionType.Velocity,
                _ => throw new ModelFormatException($"prediction_type is {prediction}; only epsilon and v_prediction are supported here."),
            },
            ZeroTerminalSnr = json.Flag("rescale_betas_zero_snr", false),
        };
        return config;
    }
}
