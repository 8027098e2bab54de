using System.Text.RegularExpressions;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Tests.Architecture;

/// <summary>A convolution that takes gradients must not bypass the path that is right on every processor.</summary>
public sealed partial class ConvolutionPathTests
{
    [Fact]
    public void Sources_EveryConvolution_GoesThroughOnePlace()
    {
        string root = SourceTree.Root;
        string[] allowed =
        [
            Path.Combine("NullTextResearch", "Layers", "Convolution.cs"),
            // Tests what libtorch alone makes of it.
            Path.Combine("NullTextResearch", "SelfTest", "TestedOperation.cs"),
            // Times it.
            Path.Combine("NullTextResearch.Bench", "ConvolutionBenchmark.cs"),
        ];
        string[] files =
        [
            .. Directory
                .GetFiles(Path.Combine(root, "src"), "*.cs", SearchOption.AllDirectories)
                .Where(f => !f.Split(Path.DirectorySeparatorChar).Any(p => p is "obj" or "bin")),
        ];
        Assert.True(files.Length > 100, $"Only {files.Length} files seen: is the path right?");
        string[] convolving =
        [
            .. files
                .Where(f => LibtorchConvolution().IsMatch(File.ReadAllText(f)))
                .Select(f => Path.GetRelativePath(Path.Combine(root, "src"), f))
                .Order(StringComparer.Ordinal),
        ];
        Assert.Equal(allowed.Order(StringComparer.Ordinal), convolving);
    }

    [Theory]
    [InlineData("x = functional.conv2d(x, w);", true)]
    [InlineData("x = F.conv_transpose2d (x, w);", true)]
    [InlineData("Conv2d c = nn.Conv2d(1, 2, 3);", true)]
    [InlineData("jit.compile(\"def f(x, w): return torch.conv2d(x, w)\")", true)]
    [InlineData("private readonly Conv2d _conv = new Conv2d(at, 1, 2);", false)]
    [InlineData("Tensor y = Convolution.Of(x, w);", false)]
    public void Pattern_LibtorchsOwn_IsSeen(string line, bool expected) => Assert.Equal(expected, LibtorchConvolution().IsMatch(line));

    [GeneratedRegex(@"\bconv(_transpose)?[123]d\s*\(|\bnn\s*\.\s*Conv(Transpose)?[123]d\b")]
    private static partial Regex LibtorchConvolution();
}
