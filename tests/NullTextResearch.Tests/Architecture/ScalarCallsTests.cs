using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Architecture;

/// <summary>Numbers reach libtorch through ScalarArithmetic, which keeps them alive until the native call has read them.</summary>
public sealed class ScalarCallsTests
{
    [Fact]
    public void Library_EveryNumber_GoesThroughOnePlace()
    {
        string[] allowed = [typeof(ScalarArithmetic).FullName + ".", typeof(RowAdam).FullName + "."];
        IReadOnlyList<string> calls = ScalarCalls.In(typeof(ScalarArithmetic).Assembly);
        // The search sees what it should.
        Assert.All(allowed, place => Assert.Contains(calls, call => call.StartsWith(place, StringComparison.Ordinal)));
        Assert.DoesNotContain(calls, call => !allowed.Any(place => call.StartsWith(place, StringComparison.Ordinal)));
    }

    /// <summary>Not even in that place: <c>add(scalar)</c> has a factor 1 of its own, <c>arange(end)</c> a start and a step.</summary>
    [Fact]
    public void Library_NoNumber_IsMadeInsideTorchSharp() => Assert.Empty(ScalarCalls.Hidden(typeof(ScalarArithmetic).Assembly));

    /// <summary>
    /// The tests neither: with collections on other tests' threads a toy network's own sum would be wrong, and the code under test would be blamed.
    /// </summary>
    [Fact]
    public void Tests_EveryNumber_IsKeptAlive()
    {
        Type[] allowedInTests = [typeof(Constants), GetType()];
        Assert.DoesNotContain(
            new[] { typeof(ToyPredictor).Assembly, GetType().Assembly }.SelectMany(ScalarCalls.In),
            call => !allowedInTests.Any(place => call.StartsWith(place.FullName!, StringComparison.Ordinal) && call[place.FullName!.Length] is '.' or '+')
        );
    }

    [Theory]
    [InlineData(nameof(Method), true)]
    [InlineData(nameof(Operator), true)]
    [InlineData(nameof(Creation), true)]
    [InlineData(nameof(Lambda), true)]
    [InlineData(nameof(Sum), true)]
    [InlineData(nameof(Power), true)]
    [InlineData(nameof(Between), false)]
    public void Search_OneCall_IsSeen(string sample, bool expected) =>
        Assert.Equal(
            expected,
            GetType()
                .GetNestedTypes(System.Reflection.BindingFlags.NonPublic)
                .Append(GetType())
                .SelectMany(ScalarCalls.In)
                .Any(call => call.Contains(sample, StringComparison.Ordinal))
        );

    private static Tensor Method(Tensor x) => x.mul(2);

    private static Tensor Operator(Tensor x) => x * 2.0;

    private static Tensor Creation() => arange(3);

    private static Func<Tensor, Tensor> Lambda(double by) => x => x.add(by);

    private static Tensor Sum(Tensor x, Tensor y) => x.add(y);

    private static Tensor Power(Tensor x) => x.square();

    private static Tensor Between(Tensor x, Tensor y) => x.mul(y).sub(x / y);
}
