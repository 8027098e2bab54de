using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Lifetimes;

/// <summary>The attribute that counts tensors sees one that is left, and one that is gone.</summary>
public sealed class LeavesNoTensorsTests
{
    [Fact]
    public void After_OneMoreOrOneLess_Fails()
    {
        LeavesNoTensorsAttribute counter = new();
        counter.Before(null!, null!);
        Tensor left = ones(1);
        Assert.Contains("after", Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => counter.After(null!, null!)).Message, StringComparison.Ordinal);
        counter.Before(null!, null!);
        left.Dispose();
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => counter.After(null!, null!));
        counter.Before(null!, null!);
        using (DisposeScope scope = NewDisposeScope())
            ones(1);
        counter.After(null!, null!);
    }
}
