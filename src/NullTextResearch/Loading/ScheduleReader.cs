using System.Globalization;
using NullTextResearch.Diffusion;
using NullTextResearch.Weights;

namespace NullTextResearch.Loading;

/// <summary>Reads the noise schedule of a diffusers-format folder.</summary>
/// <remarks>
/// This library always runs DDIM on the schedule that the config describes, whichever scheduler wrote it, as diffusers' DDIM scheduler would if made
/// from that config. Fields missing from the config have the default of the class that it names; fields unknown to that class have DDIM's.
/// </remarks>
public static class ScheduleReader
{
    // Defaults of diffusers' classes where they differ from DDIMScheduler's.
    private static readonly Dictionary<string, Defaults> Classes = new(StringComparer.Ordinal)
    {
        ["DDIMScheduler"] = new(),
        ["DDIMInverseScheduler"] = new(),
        ["DDPMScheduler"] = new(),
        ["PNDMScheduler"] = new() { FinalIsOne = false },
        ["LMSDiscreteScheduler"] = new() { Spacing = "linspace" },
        ["EulerDiscreteScheduler"] = new() { Spacing = "linspace" },
        ["EulerAncestralDiscreteScheduler"] = new() { Spacing = "linspace" },
        ["HeunDiscreteScheduler"] = new()
        {
            Spacing = "linspace",
            BetaStart = 0.00085,
            BetaEnd = 0.012,
        },
        ["KDPM2DiscreteScheduler"] = new()
        {
            Spacing = "linspace",
            BetaStart = 0.00085,
            BetaEnd = 0.012,
        },
        ["KDPM2AncestralDiscreteScheduler"] = new()
        {
            Spacing = "linspace",
            BetaStart = 0.00085,
            BetaEnd = 0.012,
        },
        ["DPMSolverMultistepScheduler"] = new() { Spacing = "linspace" },
        ["DPMSolverMultistepInverseScheduler"] = new() { Spacing = "linspace" },
        ["DPMSolverSinglestepScheduler"] = new(),
        ["DPMSolverSDEScheduler"] = new()
        {
            Spacing = "linspace",
            BetaStart = 0.00085,
            BetaEnd = 0.012,
        },
        ["DEISMultistepScheduler"] = new() { Spacing = "linspace" },
        ["UniPCMultistepScheduler"] = new() { Spacing = "linspace" },
        ["LCMScheduler"] = new()
        {
            BetaStart = 0.00085,
            BetaEnd = 0.012,
            Curve = "scaled_linear",
        },
    };

    // The values of every published Stable Diffusion: they apply if no class is named, and they need no note.
    private static readonly Defaults StableDiffusion = new()
    {
        FinalIsOne = false,
        BetaStart = 0.00085,
        BetaEnd = 0.012,
        Curve = "scaled_linear",
    };

    // Settings that change pictures in diffusers and are not followed here.
    private static readonly (string Name, string What)[] NotFollowed =
    [
        ("thresholding", "the predicted image is not clipped by its quantiles, which is meant for pixel-space models"),
        ("clip_sample", "diffusers' Stable Diffusion pipelines switch it off as well"),
        ("use_karras_sigmas", "DDIM keeps the timesteps of timestep_spacing"),
        ("use_exponential_sigmas", "DDIM keeps the timesteps of timestep_spacing"),
        ("use_beta_sigmas", "DDIM keeps the timesteps of timestep_spacing"),
        ("use_lu_lambdas", "DDIM keeps the timesteps of timestep_spacing"),
    ];

    /// <summary>Reads a <c>scheduler_config.json</c>.</summary>
    /// <param name="json">The config.</param>
    /// <param name="notes">Receives what was assumed and what is not followed; null: no notes are made.</param>
    /// <exception cref="ModelFormatException">It asks for something not supported, or its numbers do not form a schedule.</exception>
    public static ScheduleConfig Read(ConfigReader json, ICollection<string>? notes = null)
    {
        string named = json.Text("_class_name", "");
        bool known = Classes.TryGetValue(named, out Defaults? defaults);
        defaults ??= StableDiffusion;
        List<string> assumed = [];

        json.RequireAbsent("trained_betas");
        string curve = json.Text("beta_schedule", Assume("beta_schedule", defaults.Curve, always: true));
        string spacing = json.Text("timestep_spacing", Assume("timestep_spacing", defaults.Spacing, always: defaults.Spacing != StableDiffusion.Spacing));
        string prediction = json.Text("prediction_type", "epsilon");
        ScheduleConfig config = new()
        {
            BetaStart = json.Number("beta_start", Assume("beta_start", defaults.BetaStart, always: true), double.Epsilon, OneLess),
            BetaEnd = json.Number("beta_end", Assume("beta_end", defaults.BetaEnd, always: true), double.Epsilon, OneLess),
            Curve = curve switch
            {
                "scaled_linear" => BetaCurve.ScaledLinear,
                "linear" => BetaCurve.Linear,
                _ => throw json.Unsupported("beta_schedule", curve, "scaled_linear and linear"),
            },
            TrainTimesteps = json.Int("num_train_timesteps", 1000, 2, NoiseSchedule.MostTimesteps),
            FinalIsOne = json.Flag("set_alpha_to_one", Assume("set_alpha_to_one", defaults.FinalIsOne, always: true)),
            // diffusers' pipelines rewrite any other offset to 1, because with 0 the last step would be an identity.
            StepsOffset = 1,
            Spacing = spacing switch
            {
                "leading" => TimestepSpacing.Leading,
                "trailing" => TimestepSpacing.Trailing,
                "linspace" => TimestepSpacing.Linspace,
                _ => throw json.Unsupported("timestep_spacing", spacing, "leading, trailing and linspace"),
            },
            Prediction = prediction switch
            {
                "epsilon" => PredictionType.Epsilon,
                "v_prediction" => PredictionType.Velocity,
                _ => throw json.Unsupported("prediction_type", prediction, "epsilon and v_prediction"),
            },
            ZeroTerminalSnr = json.Flag("rescale_betas_zero_snr", false),
        };
        if (assumed.Count > 0)
        {
            string whose =
                known ? $"the defaults of {named} apply"
                : named.Length == 0 ? "it names no class, so the values of Stable Diffusion apply"
                : $"the class {Excerpt.Of(named)} is unknown, so the values of Stable Diffusion apply";
            notes?.Add($"scheduler: the config omits fields; {whose}: {string.Join(", ", assumed)}");
        }
        if (json.Has("steps_offset") && json.Int("steps_offset") is var offset && offset != 1)
            notes?.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"scheduler: steps_offset is {offset} and was taken as 1, as diffusers' Stable Diffusion pipelines do"
                )
            );
        foreach ((string name, string what) in NotFollowed)
        {
            if (json.Flag(name, false))
                notes?.Add($"scheduler: {name} is true but not followed: {what}");
        }
        return config;

        T Assume<T>(string name, T value, bool always)
        {
            if (always && !json.Has(name))
                assumed.Add(string.Create(CultureInfo.InvariantCulture, $"{name} {(value is bool flag ? flag ? "true" : "false" : value)}"));
            return value;
        }
    }

    private const double OneLess = 1 - 1e-9;

    private sealed record Defaults
    {
        public bool FinalIsOne { get; init; } = true;

        public double BetaStart { get; init; } = 0.0001;

        public double BetaEnd { get; init; } = 0.02;

        public string Curve { get; init; } = "linear";

        public string Spacing { get; init; } = "leading";
    }
}
