using System.Globalization;
using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using NullTextResearch.UNet;
using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>Schedule tables, single DDIM moves and sinusoids.</summary>
internal static class GoldenSchedule
{
    public static void Recompute(GoldenFile file)
    {
        NoiseSchedule own = file.Folder.OwnSchedule(),
            stored = file.Folder.StoredSchedule();
        ConfigReader config = file.Folder.SchedulerConfig();
        file.Report("betas", tensor(NoiseSchedule.Betas(config.Number("beta_start"), config.Number("beta_end"), own.TrainTimesteps).ToArray()));
        file.Report("alphas_cumprod", tensor(own.AlphaBars.ToArray()));
        file.Report("final_alpha_cumprod", tensor((double[])[own.Final.AlphaBar]));
        foreach (string name in file.Tensors.Where(t => t.StartsWith("timesteps_", StringComparison.Ordinal)))
        {
            int steps = int.Parse(name["timesteps_".Length..], CultureInfo.InvariantCulture);
            file.Report(name, tensor(new TimestepGrid(own, steps).Moves.Select(m => (long)m.Timestep).ToArray()));
        }
        Moves(file, own, ScalarType.Float32, "");
        Moves(file, stored, ScalarType.Float64, "_f64");
        Sinusoids(file);
    }

    private static void Moves(GoldenFile file, NoiseSchedule schedule, ScalarType dtype, string suffix)
    {
        string[] names = [.. new[] { "prev_step", "next_step", "scheduler_step", "pred_original_sample", "difference_scale" }.Select(n => n + suffix)];
        if (!file.WantsAny(names.Contains))
            return;
        long[] shape = [1, .. file.Shape(names[0])[1..]];
        Tensor latents = file.Folder.Formula.Input("input:latents", shape).to(dtype),
            noise = file.Folder.Formula.Input("input:eps", shape).to(dtype);
        int stride = new TimestepGrid(schedule, file.Entry.GetProperty("steps").GetInt32()).Stride;
        (NoiseLevel Noisy, NoiseLevel Clean)[] ends =
        [
            .. file.Read("probe_timesteps").data<long>().Select(t => (schedule.At((int)t), schedule.At((int)t - stride))),
        ];
        Tensor down = cat([.. ends.Select(e => Ddim.Move(latents, noise, e.Noisy, e.Clean))], 0);
        file.Report(names[0], down);
        file.Report(names[1], cat([.. ends.Select(e => Ddim.Move(latents, noise, e.Clean, e.Noisy))], 0));
        file.Report(names[2], down);
        file.Report(names[3], cat([.. ends.Select(e => Ddim.Move(latents, noise, e.Noisy, NoiseLevel.VariancePreserving(1)))], 0));
        file.Report(names[4], tensor(ends.Select(e => Ddim.NoiseCoefficient(e.Noisy, e.Clean)).ToArray()));
    }

    private static void Sinusoids(GoldenFile file)
    {
        foreach (string name in file.Tensors.Where(t => t.StartsWith("time_proj_", StringComparison.Ordinal) && file.Wants(t)))
        {
            bool all = name.EndsWith("_all", StringComparison.Ordinal);
            long[] shape = file.Shape(name);
            Tensor timesteps = all ? ScalarArithmetic.Range(shape[0], ScalarType.Int64) : file.Read("time_proj_timesteps");
            file.Report(name, new SinusoidalProjection().Project(timesteps, shape[1]));
        }
    }
}
