using System.Runtime.InteropServices;
using NullTextResearch.Cli.Running;
using NullTextResearch.Inversion;
using Xunit;

namespace NullTextResearch.Cli.Tests;

public sealed class ErrorTextTests
{
    [Fact]
    public void Of_DeviceThatIsAlwaysFull_SpeaksOfTheDisk()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "needs /dev/full");
        IOException e = Assert.ThrowsAny<IOException>(() => File.WriteAllBytes("/dev/full", new byte[1 << 16]));
        Assert.True(ErrorText.IsDiskFull(e), $"{e.HResult}: {e.Message}");
        Assert.Contains("the disk is full", ErrorText.Of(e), StringComparison.Ordinal);
        Assert.Contains("--out", ErrorText.Of(e), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_OtherIoError_IsNotTakenForAFullDisk() => Assert.False(ErrorText.IsDiskFull(new FileNotFoundException("x")));

    [Fact]
    public void Of_LossThatIsNoNumber_NamesStepTimestepAndLosses()
    {
        string text = ErrorText.Of(new InversionDivergedException("null-text inversion", 0, 3, 941, [0.5, 2, double.NaN]));
        Assert.Contains("step 3 (timestep 941)", text, StringComparison.Ordinal);
        Assert.Contains("0.5, 2, NaN", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ArgumentException_LeavesOutTheParameter()
    {
        ArgumentException e = new("sizes differ", "image");
        Assert.True(ErrorText.IsKnown(e));
        Assert.Equal("sizes differ", ErrorText.Of(e));
    }

    [Fact]
    public void Of_AllocatorFailure_SaysWhatToLower()
    {
        ExternalException e = new("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes\n at somewhere");
        Assert.True(ErrorText.IsKnown(e));
        Assert.Contains("Lower the image size", ErrorText.Of(e), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', ErrorText.Of(e));
    }

    [Fact]
    public void IsKnown_MistakeOfTheProgram_IsNot()
    {
        Assert.False(ErrorText.IsKnown(new NullReferenceException()));
        Assert.False(ErrorText.IsKnown(new InvalidOperationException("x")));
        Assert.StartsWith("InvalidOperationException: ", ErrorText.Of(new InvalidOperationException("x\ny")), StringComparison.Ordinal);
    }
}
