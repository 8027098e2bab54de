using System.Reflection;
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
                .SelectMany(t => t.GetMethods().SelectMany(m => m.GetParameters()).Select(p => p.ParameterType))
                .Where(t => t.IsGenericType && t.GetGenericTypeDefinition() == typeof(IProgress<>))
                .Select(t => t.GetGenericArguments()[0])
                .Distinct(),
        ];
        Assert.True(reports.Length >= 4, string.Join<Type>(", ", reports));
        // Value types would not do: variance needs references.
        Assert.All(reports, r => Assert.True(r.IsSubclassOf(typeof(WorkProgress)), r.ToString()));
    }
}
