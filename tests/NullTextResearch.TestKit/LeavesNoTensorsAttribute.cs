using System.Reflection;
using Xunit;
using Xunit.v3;

namespace NullTextResearch.TestKit;

/// <summary>
/// A test fails if more tensors live on its thread after it than before. Tensors that the test itself makes belong in a dispose scope of its own.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LeavesNoTensorsAttribute : BeforeAfterTestAttribute
{
    private long _before;

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test) => _before = TensorAssert.Live;

    /// <inheritdoc/>
    public override void After(MethodInfo methodUnderTest, IXunitTest test) =>
        Assert.True(TensorAssert.Live == _before, $"{TensorAssert.Live - _before} tensors are left.");
}
