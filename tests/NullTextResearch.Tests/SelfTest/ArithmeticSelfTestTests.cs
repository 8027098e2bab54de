using NullTextResearch.SelfTest;
using NullTextResearch.Tensors;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.SelfTest;

/// <summary>Alone: the number of threads belongs to the process, and trajectories of other tests follow its order of summation.</summary>
[CollectionDefinition(nameof(ThreadsOfTheProcess), DisableParallelization = true)]
public sealed class ThreadsOfTheProcess;

/// <summary>The machine that runs the tests computes right, and a machine that does not would be found out.</summary>
[Collection(nameof(ThreadsOfTheProcess))]
public sealed class ArithmeticSelfTestTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-self-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Run_ThisMachine_NothingIsWrong(ScalarType dtype)
    {
        ArithmeticCheck[] checks = [.. ArithmeticSelfTest.Run(dtype, threads: 1)];
        Assert.True(checks.Length >= 30, $"{checks.Length} operations");
        Assert.Empty(checks.Where(c => c.Verdict == ArithmeticVerdict.Wrong).Select(c => c.ToString()));
        Assert.All(
            checks,
            c => Assert.True(c.ResultError > 0 || c.GradientError > 0 || dtype == ScalarType.Float16, $"{c}: nothing is exact, so nothing was compared")
        );
    }

    [Theory]
    [InlineData("a result half a percent off", ArithmeticVerdict.Wrong)]
    [InlineData("a gradient half a percent off", ArithmeticVerdict.Wrong)]
    [InlineData("one NaN", ArithmeticVerdict.Wrong)]
    [InlineData("right", ArithmeticVerdict.Right)]
    public void Run_Operation_IsJudged(string how, ArithmeticVerdict expected)
    {
        TestedOperation operation = new(
            how,
            [
                [64],
            ],
            t => Own(t[0]),
            t => t[0].Times(2)
        );
        ArithmeticCheck check = Assert.Single(ArithmeticSelfTest.Run([operation], ScalarType.Float32, 1, default));
        Assert.Equal(expected, check.Verdict);

        Tensor Own(Tensor x) =>
            how switch
            {
                "a result half a percent off" => x.Times(2).Plus(x.detach().Times(0.01)),
                "a gradient half a percent off" => x.Times(2.01).sub(x.detach().Times(0.01)),
                "one NaN" => cat([x.narrow(0, 0, 63).Times(2), x.narrow(0, 63, 1).Times(double.NaN)], 0),
                _ => x.Times(2),
            };
    }

    [Fact]
    public void Run_LibtorchWrongAndTheLibraryRight_IsWorkedAround()
    {
        TestedOperation operation = new(
            "double",
            [
                [64],
            ],
            t => t[0].Times(2),
            t => t[0].Times(2),
            Plain: t => t[0].Times(2.1)
        );
        Assert.Equal(ArithmeticVerdict.WorkedAround, Assert.Single(ArithmeticSelfTest.Run([operation], ScalarType.Float32, 1, default)).Verdict);
    }

    [Fact]
    public void Run_OtherNumberOfThreads_IsSetBack()
    {
        int before = get_num_threads();
        _ = ArithmeticSelfTest.Run(ScalarType.Float32, 2).First();
        Assert.Equal(before, get_num_threads());
    }

    [Fact]
    public void Require_WrongMachine_SaysWhatAndWhatToTry()
    {
        ArithmeticGuard guard = new(_folder, (dtype, threads) => [Check(dtype, threads, 0.8), Check(dtype, threads, 1e-7)]);
        WrongArithmeticException e = Assert.Throws<WrongArithmeticException>(() => guard.Require(ScalarType.Float32, 1));
        Assert.Single(e.Wrong);
        foreach (string part in (string[])["3x3 convolution", "8.0e-1", Processor.Name, "doctor", "NULLTEXT_SELF_TEST=off"])
            Assert.Contains(part, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongOf_SecondProcess_RemembersByPrecisionAndThreads()
    {
        int tests = 0;
        ArithmeticGuard New() =>
            new(
                _folder,
                (dtype, threads) =>
                {
                    tests++;
                    return [Check(dtype, threads, dtype == ScalarType.BFloat16 ? 0.5 : 0)];
                }
            );
        ArithmeticGuard first = New();
        Assert.Empty(first.WrongOf(ScalarType.Float32, 1));
        Assert.Empty(first.WrongOf(ScalarType.Float32, 1));
        Assert.Equal(1, tests);
        Assert.Empty(New().WrongOf(ScalarType.Float32, 1));
        Assert.Equal(1, tests);
        Assert.Single(New().WrongOf(ScalarType.BFloat16, 1));
        Assert.Single(New().WrongOf(ScalarType.BFloat16, 1));
        Assert.Equal(2, tests);
        Assert.Empty(New().WrongOf(ScalarType.Float32, 4));
        Assert.Empty(New().WrongOf(ScalarType.Float32, 8));
        Assert.Equal(3, tests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[null]")]
    [InlineData("[1")]
    public void WrongOf_DamagedMemory_TestsAgain(string content)
    {
        int tests = 0;
        ArithmeticGuard New() =>
            new(
                _folder,
                (dtype, threads) =>
                {
                    tests++;
                    return [Check(dtype, threads, 0)];
                }
            );
        Assert.Empty(New().WrongOf(ScalarType.Float32, 1));
        File.WriteAllText(Assert.Single(Directory.GetFiles(_folder)), content);
        Assert.Empty(New().WrongOf(ScalarType.Float32, 1));
        Assert.Equal(2, tests);
    }

    [Fact]
    public void WrongOf_FolderCannotBeMade_AnswersAllTheSame()
    {
        string file = Path.Combine(_folder, "a file");
        File.WriteAllText(file, "");
        Assert.Empty(new ArithmeticGuard(Path.Combine(file, "below"), (dtype, threads) => [Check(dtype, threads, 0)]).WrongOf(ScalarType.Float32, 1));
    }

    private static ArithmeticCheck Check(ScalarType dtype, int threads, double error) => new("3x3 convolution", dtype, threads, 0, error, null);
}
