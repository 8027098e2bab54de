using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>The rooms around the library hand no unprotected number to libtorch either.</summary>
public sealed class ScalarTests
{
    [Fact]
    public void Rooms_EveryNumber_IsKeptAlive()
    {
        System.Reflection.Assembly program = typeof(Program).Assembly;
        System.Reflection.Assembly[] rooms =
        [
            program,
            .. program
                .GetReferencedAssemblies()
                .Where(a => a.Name!.StartsWith("NullTextResearch.", StringComparison.Ordinal))
                .Select(System.Reflection.Assembly.Load),
        ];
        Assert.True(rooms.Length >= 4, string.Join(", ", rooms.Select(r => r.GetName().Name)));
        Assert.Empty(rooms.SelectMany(ScalarCalls.In));
    }
}
