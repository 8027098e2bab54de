using Xunit;

namespace NullTextResearch.Tests;

public sealed class NativeTests
{
    private const string Version = "GLIBCXX_3.4.32";

    [Fact]
    public void Report_OnThisMachine_LoadedOneWayOrTheOther() => Assert.NotEqual(NativeLoadMode.Failed, Native.Report.Mode);

    [Fact]
    public void SearchFolders_InAnotherProgram_HaveThoseOfTheReferencedAssemblyLast()
    {
        List<string> folders = Native.SearchFolders();

        string beside = Path.GetDirectoryName(typeof(TorchSharp.torch).Assembly.Location)!;
        Assert.Equal([beside, Path.Combine(beside, "runtimes", "linux-x64", "native")], folders.TakeLast(2));
    }

    [Fact]
    public void MakeVersionOptional_ShippedLibrary_ChangesOneBit()
    {
        byte[] before = Shipped(),
            after = [.. before];

        Native.MakeVersionOptional(after, Version);

        int at = Assert.Single(Enumerable.Range(0, before.Length), i => before[i] != after[i]);
        Assert.Equal(2, before[at] ^ after[at]);
        byte[] again = [.. after];
        Native.MakeVersionOptional(again, Version);
        Assert.Equal(after, again);
    }

    [Fact]
    public void MakeVersionOptional_VersionThatIsNotAsked_ChangesNothingAndSaysSo()
    {
        byte[] before = Shipped(),
            after = [.. before];

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Native.MakeVersionOptional(after, "GLIBCXX_9.9.99"));

        Assert.Contains("GLIBCXX_9.9.99", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, after);
    }

    [Fact]
    public void MakeVersionOptional_NoElfFile_IsRefused() => Assert.Throws<InvalidDataException>(() => Native.MakeVersionOptional(new byte[4096], Version));

    /// <summary>Where NNPACK does not know the processor, libtorch would log a line at every small convolution; elsewhere nothing may change either.</summary>
    [Fact]
    public void EnsureLoaded_Linux_StopsAskingForNnpack()
    {
        Assert.SkipUnless(Native.Report.Mode is NativeLoadMode.AsShipped or NativeLoadMode.RelaxedCopy, "TorchSharp loaded libtorch by itself here");
        Assert.False(Native.IsNnpackAsked());
    }

    [Fact]
    public void AdviseProcess_Linux_MarksTheHeapForLargePages()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/proc/self/smaps"), "only Linux tells");
        Assert.SkipUnless(File.Exists("/sys/kernel/mm/transparent_hugepage/enabled"), "this kernel has no large pages");
        HugePages.AdviseProcess();
        string flags = File.ReadLines("/proc/self/smaps")
            .SkipWhile(l => !l.EndsWith("[heap]", StringComparison.Ordinal))
            .First(l => l.StartsWith("VmFlags:", StringComparison.Ordinal));
        Assert.Contains(" hg", flags, StringComparison.Ordinal);
    }

    private static byte[] Shipped()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        Assert.SkipUnless(File.Exists(path), "only the Linux build carries this library");
        return File.ReadAllBytes(path);
    }
}
