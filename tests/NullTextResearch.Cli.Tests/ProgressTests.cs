using System.Reflection;
using NullTextResearch.Benchmarks;
using NullTextResearch.Experiments;
using NullTextResearch.Hub;
using NullTextResearch.Inversion;
using NullTextResearch.Training;
using NullTextResearch.Weights;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>One receiver can follow all long work of the public libraries.</summary>
public sealed class ProgressTests
{
    [Fact]
    public void PublicProgress_AnyReport_IsWorkProgress()
    {
        Assembly program = typeof(Program).Assembly;
        Type[] reports =
        [
            .. program
                .GetReferencedAssemblies()
                .Where(a => a.Name!.StartsWith("NullTextResearch", StringComparison.Ordinal))
                .Select(Assembly.Load)
                .SelectMany(a => a.GetExportedTypes())
                .SelectMany(t =>
                    t.GetMethods()
                        .Concat<MethodBase>(t.GetConstructors())
                        .SelectMany(m => m.GetParameters())
                        .Select(p => p.ParameterType)
                        .Concat(t.GetProperties().Select(p => p.PropertyType))
                )
                .Where(t => t.IsGenericType && t.GetGenericTypeDefinition() == typeof(IProgress<>))
                .Select(t => t.GetGenericArguments()[0])
                .Distinct(),
        ];
        Assert.Equal(
            [
                nameof(ExperimentProgress),
                nameof(InversionProgress),
                nameof(LoadProgress),
                nameof(PullProgress),
                nameof(StudyProgress),
                nameof(TrainingProgress),
            ],
            reports.Select(r => r.Name).Order(StringComparer.Ordinal)
        );
        // Value types would not do: variance needs references.
        Assert.All(reports, r => Assert.True(r.IsSubclassOf(typeof(WorkProgress)), r.ToString()));
    }

    [Fact]
    public void Where_AnyReport_IsTextForAUser()
    {
        Assert.Equal("step 3 of 50, loss 1.5e-04", new InversionProgress("edit", 3, 50, 0, 1.5e-4).Where);
        Assert.Equal("12 network evaluations", new ExperimentProgress(12, 30).Where);
        Assert.Equal("500.0 kB of 28.1 MB", new LoadProgress("unet", 500_000, 28_100_000).Where);
        Assert.Equal("1.0 MB of 4.0 MB (25%)", new PullProgress(null, 0, 1_000_000, 4_000_000, null).Where);
        StudyProgress unit = new(null!, null!, 3, 8);
        Assert.Equal(("unit 3 of 8", 3.0, 8.0), (unit.Where, unit.Done, unit.Total));
        Assert.Equal("looking it up", new PullProgress(null, 0, 0, 0, "looking it up").Where);
        Assert.Equal("", new PullProgress(null, 0, 0, 0, null).Where);
    }
}
