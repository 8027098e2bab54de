using System.Reflection;
using Xunit;
using Xunit.v3;

namespace NullTextResearch.TestKit;

/// <summary>
/// A test fails if not as many tensors live on its thread after it as before. Tensors that the test itself makes belong in a dispose scope of its own; what the
/// code under test forgets in such a scope goes with it, so laws on leaks count beside the call as well.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LeavesNoTensorsAttribute : BeforeAfterTestAttribute
{
    private long _before;
    private int _thread;

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test) => (_before, _thread) = (TensorAssert.Live, Environment.CurrentManagedThreadId);

    /// <inheritdoc/>
    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        // The count is one of the thread: a test that continues on another cannot be judged.
        Assert.Equal(_thread, Environment.CurrentManagedThreadId);
        Assert.True(TensorAssert.Live == _before, $"{_before} tensors before, {TensorAssert.Live} after.");
    }
}
