using NullTextResearch.Experiments;
using NullTextResearch.Loading;
using NullTextResearch.Planning;
using NullTextResearch.SelfTest;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Experiments;

public sealed class JobPlanTests
{
    private static readonly IReadOnlyDictionary<ScalarType, MachineRates> Rates = new Dictionary<ScalarType, MachineRates>
    {
        [ScalarType.Float32] = Steady(1e9),
        [ScalarType.BFloat16] = Steady(2e9),
    };

    private static readonly JobDemand Demand = new() { ImageSize = 256 };

    private static JobPlan Plan(JobDemand? demand = null, Func<ScalarType, bool>? isSound = null) =>
        JobPlan.For(ModelSource.Find(StableDiffusion.MiniFolder()), demand ?? Demand, Rates, isSound ?? (_ => true));

    [Fact]
    public void For_AnyJob_OrdersSettingsByTime()
    {
        JobPlan plan = Plan();
        Assert.Equal(plan.Settings.OrderBy(s => s.Seconds).Select(s => s.Seconds), plan.Settings.Select(s => s.Seconds));
        // Twice the rate, half the time.
        double Seconds(ScalarType precision) => plan.Settings.Where(s => s.Precision == precision).Min(s => s.Seconds);
        Assert.InRange(Seconds(ScalarType.Float32) / Seconds(ScalarType.BFloat16), 1.8, 2.001);
        // Checkpoints cost a forward pass more at every inner step, and memory they save.
        JobSetting plain = plan.Settings.Single(s => s.Precision == ScalarType.Float32 && s.Memory == new MemoryOptions());
        JobSetting checkpoints = plan.Settings.Single(s => s.Precision == ScalarType.Float32 && s.Memory == new MemoryOptions { Checkpointing = true });
        Assert.InRange(checkpoints.Seconds / plain.Seconds, 1.2, 1.6);
        Assert.True(checkpoints.Plan.TotalBytes < plain.Plan.TotalBytes);
    }

    [Fact]
    public void Fastest_LessAndLessMemory_GivesUpSpeedAndThenGivesUp()
    {
        JobPlan plan = Plan();
        JobSetting all = plan.Fastest(long.MaxValue)!;
        Assert.Equal(ScalarType.BFloat16, all.Precision);
        Assert.Equal(new MemoryOptions(), all.Memory);
        JobSetting less = plan.Fastest(all.Plan.TotalBytes - 1)!;
        Assert.True(less.Plan.TotalBytes < all.Plan.TotalBytes);
        Assert.True(less.Seconds >= all.Seconds);
        Assert.Null(plan.Fastest(1000));
    }

    [Fact]
    public void Fastest_PrecisionThatHasNotPassedTheSelfTest_IsNotPicked()
    {
        JobPlan plan = Plan(isSound: precision => precision != ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, plan.Settings[0].Precision);
        Assert.Equal(ScalarType.Float32, plan.Fastest(long.MaxValue)!.Precision);
        Assert.Null(Plan(isSound: _ => false).Fastest(long.MaxValue));
        // By default the machine is asked.
        JobPlan asked = JobPlan.For(ModelSource.Find(StableDiffusion.MiniFolder()), Demand, Rates);
        Assert.All(asked.Settings, s => Assert.Equal(ArithmeticSelfTest.Passes(s.Precision, CPU), s.IsSound));
    }

    [Fact]
    public void Range_BusyMachine_ReachesFromEarlyStopsToNoneAtTheShareThatIsLeft()
    {
        JobTime time = new(Fixed: 2, Forward: 0.1, Inner: 0.3, Evaluations: 150, Steps: 50, InnerSteps: 10);
        Assert.Equal(2 + 15 + 150, time.Most, 1e-9);
        (double least, double most) = time.Range(MachineLoad.Quiet);
        Assert.InRange(least, 0.5 * time.After(50), time.After(50));
        Assert.InRange(most, time.Most, 1.5 * time.Most);
        Assert.Equal((least, 4 * most), time.Range(new MachineLoad(0.25)));
        Assert.True(new MachineLoad(0.25).IsBusy);
        Assert.False(MachineLoad.Quiet.IsBusy);
    }

    [Fact]
    public void Load_HereAndNow_IsAShare() => Assert.InRange(MachineLoad.Measure(1).Share, 0.01, 1);

    [Fact]
    public void Worthwhile_EachPrecision_TradesTimeForMemory()
    {
        foreach (IGrouping<ScalarType, JobSetting> precision in Plan().Worthwhile.GroupBy(s => s.Precision))
        {
            JobSetting[] settings = [.. precision];
            Assert.Equal(new MemoryOptions(), settings[0].Memory);
            for (int i = 1; i < settings.Length; i++)
                Assert.True(settings[i].Plan.TotalBytes < settings[i - 1].Plan.TotalBytes);
        }
    }

    [Fact]
    public void For_EditToo_NeedsNoLess()
    {
        JobSetting inversion = Plan().Settings[0],
            both = Plan(Demand with { Edits = true }).Settings[0];
        Assert.True(both.Seconds > inversion.Seconds);
        Assert.True(both.Plan.TotalBytes >= inversion.Plan.TotalBytes);
    }

    [Fact]
    public void Measure_SmallNetwork_GivesRatesForAllItsKinds()
    {
        IReadOnlyList<NetworkOperation> operations = NetworkWork.OfUNet(ModelSource.Find(StableDiffusion.MiniFolder()).UNet, 8, 8);
        MachineRates rates = MachineRates.Measure(operations, CPU, ScalarType.Float32, shapes: 1);
        Assert.Equal(4, rates.FlopsPerSecond.Count);
        Assert.All(rates.FlopsPerSecond.Values, rate => Assert.True(rate > 0 && double.IsFinite(rate)));
        Assert.True(rates.Backward(operations) > 0 && rates.Forward(operations) > rates.SecondsPerOperation);
    }

    private static MachineRates Steady(double rate) => new(Enum.GetValues<WorkKind>().ToDictionary(k => k, _ => rate), 0);
}
