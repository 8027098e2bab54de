using Xunit;

namespace NullTextResearch.Tests;

public sealed class OutputLockTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("nulltext-lock-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void OnFolder_HeldByAnother_NamesTheFolderUntilItIsGivenBack()
    {
        string folder = Path.Combine(_root, "run");
        using (OutputLock.OnFolder(folder))
        {
            OutputInUseException refused = Assert.Throws<OutputInUseException>(() => OutputLock.OnFolder(folder));
            Assert.Contains(folder, refused.Message, StringComparison.Ordinal);
            Assert.Contains("another process", refused.Message, StringComparison.Ordinal);
            // The one that was refused must not take the holder's lock away.
            Assert.Throws<OutputInUseException>(() => OutputLock.OnFolder(folder));
        }

        OutputLock.OnFolder(folder).Dispose();
    }

    [Fact]
    public async Task OnFolder_TakenByManyThreadsThatWait_IsHeldByOneAtATime()
    {
        string folder = Path.Combine(_root, "run");
        int inside = 0,
            most = 0,
            done = 0;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 200),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = TestContext.Current.CancellationToken },
            (_, _) =>
            {
                using (OutputLock.OnFolder(folder, TimeSpan.FromMinutes(1)))
                {
                    int now = Interlocked.Increment(ref inside);
                    lock (_root)
                        most = Math.Max(most, now);
                    Thread.Yield();
                    Interlocked.Decrement(ref inside);
                }

                Interlocked.Increment(ref done);
                return ValueTask.CompletedTask;
            }
        );
        Assert.Equal((1, 200), (most, done));
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void OnFolder_TwoInAFolderMadeForTheFirst_LastOneGivenBackRemovesIt()
    {
        string shared = Path.Combine(_root, "runs");
        OutputLock first = OutputLock.OnFolder(Path.Combine(shared, "1")),
            second = OutputLock.OnFolder(Path.Combine(shared, "2"));
        first.Dispose();
        Assert.True(Directory.Exists(shared));
        second.Dispose();
        Assert.False(Directory.Exists(shared));
    }

    [Fact]
    public void Tidy_AfterAKilledWriter_RemovesItsLock_AndLeavesALivingOnes()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_root, "run")).FullName,
            file = Path.Combine(folder, "manifest.json"),
            mark = Path.Combine(folder, OutputLock.FileName);
        File.WriteAllText(file, "{}");
        File.WriteAllText(mark, "");
        Assert.True(OutputLock.Tidy(folder));
        Assert.Equal([file], Directory.EnumerateFileSystemEntries(folder));
        Assert.True(OutputLock.Tidy(Path.Combine(_root, "missing")));

        using OutputLock writer = OutputLock.OnFolder(folder);
        Assert.False(OutputLock.Tidy(folder));
        Assert.True(File.Exists(mark));
    }

    [Fact]
    public void Dispose_NothingWasWritten_LeavesNoFolder_AndWhatWasThereStays()
    {
        using (OutputLock.OnFolder(Path.Combine(_root, "a", "b")))
            Assert.True(Directory.Exists(Path.Combine(_root, "a", "b")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));

        string kept = Directory.CreateDirectory(Path.Combine(_root, "kept")).FullName;
        OutputLock.OnFolder(kept).Dispose();
        OutputLock.OnFile(Path.Combine(kept, "new", "x.png")).Dispose();
        Assert.Equal([kept], Directory.EnumerateFileSystemEntries(_root));
        Assert.Empty(Directory.EnumerateFileSystemEntries(kept));
    }

    [Fact]
    public void OnFolder_LeftByAKilledProcess_IsTakenOverAndRemoved()
    {
        File.WriteAllText(Path.Combine(_root, OutputLock.FileName), "");
        using (OutputLock.OnFolder(_root))
            Assert.Throws<OutputInUseException>(() => OutputLock.OnFolder(_root));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
    }

    [Fact]
    public void OnFolder_LeftoversOfKilledWriters_AreSwept_AndNothingElse()
    {
        string mark = new('a', 32);
        string[] dead = [$"manifest.json.{mark}.partial", $".{mark}.partial"],
            others = ["notes.partial", $"x.{mark[1..]}.partial", $"{mark}.txt", "alive." + new string('b', 32) + ".partial"];
        foreach (string name in dead.Concat(others))
            File.WriteAllText(Path.Combine(_root, name), "half");
        string staging = Directory.CreateDirectory(Path.Combine(_root, $".{new string('c', 32)}.partial")).FullName;
        File.WriteAllText(Path.Combine(staging, "edit.png"), "half");
        // As a writer has it that is still about its work.
        using (new FileStream(Path.Combine(_root, others[^1]), FileMode.Open, FileAccess.ReadWrite, FileShare.Delete))
            OutputLock.OnFolder(_root).Dispose();
        Assert.Equal(
            others.Order(StringComparer.Ordinal),
            Directory.EnumerateFileSystemEntries(_root).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)
        );
        OutputLock.OnFolder(_root).Dispose();
        Assert.False(File.Exists(Path.Combine(_root, others[^1])));
    }

    [Fact]
    public void OnFolder_PlaceThatCannotBeWritten_NamesIt()
    {
        string file = Path.Combine(_root, "file");
        File.WriteAllText(file, "");
        foreach (string folder in (string[])[file, Path.Combine(file, "run")])
            Assert.Contains(folder, Assert.ThrowsAny<IOException>(() => OutputLock.OnFolder(folder)).Message, StringComparison.Ordinal);
        Assert.Contains("is a folder", Assert.ThrowsAny<IOException>(() => OutputLock.OnFile(_root)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OnFile_TwoWritersOfOneFile_SecondIsRefused_OthersInTheFolderAreNot()
    {
        using OutputLock first = OutputLock.OnFile(Path.Combine(_root, "a.png"));
        Assert.Throws<OutputInUseException>(() => OutputLock.OnFile(Path.Combine(_root, "a.png")));
        OutputLock.OnFile(Path.Combine(_root, "b.png")).Dispose();
    }

    [Fact]
    public void Write_LeftoverOfAnEarlierKilledWriteOfTheSameFile_IsRemovedOnceItIsOld()
    {
        string target = Path.Combine(_root, "a.json"),
            dead = $"{target}.{new string('a', 32)}.partial",
            young = $"{target}.{new string('b', 32)}.partial",
            other = Path.Combine(_root, $"b.json.{new string('a', 32)}.partial");
        foreach (string path in (string[])[dead, young, other])
            File.WriteAllText(path, "half");
        foreach (string path in (string[])[dead, other])
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-1));
        WholeFile.Write(target, "whole"u8);
        Assert.Equal("whole", File.ReadAllText(target));
        Assert.Equal([false, true, true], ((string[])[dead, young, other]).Select(File.Exists));
    }
}
