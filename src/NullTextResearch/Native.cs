using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace NullTextResearch;

/// <summary>
/// Loads libtorch so that it also works on Debian 12 and Ubuntu 22.04.
/// </summary>
/// <remarks>
/// TorchSharp's Linux library asks for the symbol version GLIBCXX_3.4.32, which the C++ runtime of those systems
/// lacks. The only symbol of that version is a link-time marker that nothing calls, so the requirement can be marked
/// "weak": one bit in the ELF version table. We do that in a private copy in the user's cache and load the copy first;
/// the loader then finds the library already in the process. Systems that have the version load the file unchanged.
/// </remarks>
public static class Native
{
    private const string MissingVersion = "GLIBCXX_3.4.32";
    private const string Wrapper = "libLibTorchSharp.so";
    private const string LogLevelVariable = "TORCH_CPP_LOG_LEVEL";
    private const string SpinVariable = "GOMP_SPINCOUNT";
    private const string SpinCount = "200";
    private static readonly Lock Gate = new();
    private static NativeLoadReport? _report;

    /// <summary>The result of loading, which happens first if necessary. Never throws.</summary>
    public static NativeLoadReport Report => EnsureLoaded();

    /// <summary>
    /// Loads libtorch if it is not loaded yet. Called by the library's module initialiser; call it yourself, before any use of <c>torch</c>, only where your
    /// own code touches TorchSharp before this library.
    /// </summary>
    public static NativeLoadReport EnsureLoaded()
    {
        lock (Gate)
        {
            return _report ??= Load();
        }
    }

    [ModuleInitializer]
    [SuppressMessage(
        "Usage",
        "CA2255",
        Justification = "libtorch must be in the process before TorchSharp's type initialiser runs; that one is final when it fails."
    )]
    internal static void Initialise() => EnsureLoaded();

    /// <summary>
    /// Prepares memory for running networks on the calling thread: asks the system for large pages. Loading a model does this, and so do the library's own
    /// threads; your own threads that run networks may call it too. It is harmless anywhere, any number of times.
    /// </summary>
    public static void PrepareThread()
    {
        HugePages.AdviseProcess();
        HugePages.AdviseThread();
    }

    private static NativeLoadReport Load()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return new(NativeLoadMode.LeftToTorchSharp, null, "Only Linux x64 needs help; TorchSharp loads its libraries itself here.");
        TuneAllocator();
        SetDefaults();
        (string Torch, string Wrapper)? found = FindLibraries();
        if (found is not { } place)
            return new(
                NativeLoadMode.LeftToTorchSharp,
                null,
                "No libtorch_cpu.so in the application's native folders or in the NuGet cache; TorchSharp's own search decides."
            );
        try
        {
            foreach (string name in (string[])["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"])
            {
                string path = Path.Combine(place.Torch, name);
                if (File.Exists(path))
                    NativeLibrary.Load(path);
            }
            Quieten(place.Torch);
            if (NativeLibrary.TryLoad(place.Wrapper, out _))
                return new(NativeLoadMode.AsShipped, place.Torch, "libtorch loads as shipped.");
            string relaxed = RelaxedCopy(place.Wrapper);
            NativeLibrary.Load(relaxed);
            return new(
                NativeLoadMode.RelaxedCopy,
                place.Torch,
                $"This system's C++ runtime lacks {MissingVersion}; a copy of {Wrapper} with that requirement made optional is used: {relaxed}"
            );
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return new(NativeLoadMode.Failed, place.Torch, e.Message);
        }
    }

    // It must be the folder that .NET itself would pick: a second copy of libtorch in the process aborts it.
    private static (string Torch, string Wrapper)? FindLibraries()
    {
        List<string> folders = SearchFolders();
        string? torch = folders.Find(f => File.Exists(Path.Combine(f, "libtorch_cpu.so")));
        string? wrapper = folders.Find(f => File.Exists(Path.Combine(f, Wrapper)));
        if (torch is not null && wrapper is not null)
            return (torch, Path.Combine(wrapper, Wrapper));

        string cache =
            Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        Version? sharp = typeof(TorchSharp.torch).Assembly.GetName().Version;
        string sharpFolder = Path.Combine(cache, "torchsharp", $"{sharp?.Major}.{sharp?.Minor}.{sharp?.Build}", "runtimes", "linux-x64", "native", Wrapper);
        string torchPackage = Path.Combine(cache, "libtorch-cpu-linux-x64");
        if (!File.Exists(sharpFolder) || !Directory.Exists(torchPackage))
            return null;
        string? newest = Directory
            .GetDirectories(torchPackage)
            .Select(d => Path.Combine(d, "runtimes", "linux-x64", "native"))
            .Where(d => File.Exists(Path.Combine(d, "libtorch_cpu.so")))
            .Order(StringComparer.Ordinal)
            .LastOrDefault();
        return newest is null ? null : (newest, sharpFolder);
    }

    internal static List<string> SearchFolders()
    {
        List<string> folders = [];
        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string listed)
            folders.AddRange(listed.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));
        folders.Add(Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native"));
        folders.Add(AppContext.BaseDirectory);
        // In another program's notebook, the libraries are in the folder that a cell referenced.
        if (Path.GetDirectoryName(typeof(TorchSharp.torch).Assembly.Location) is { Length: > 0 } beside)
        {
            folders.Add(beside);
            folders.Add(Path.Combine(beside, "runtimes", "linux-x64", "native"));
        }
        return folders;
    }

    private static string RelaxedCopy(string original)
    {
        byte[] elf = File.ReadAllBytes(original);
        string hash = Convert.ToHexStringLower(SHA256.HashData(elf))[..16];
        string folder = Path.Combine(UserCache.Folder("native"), hash);
        string target = Path.Combine(folder, Wrapper);
        if (File.Exists(target))
            return target;
        MakeVersionOptional(elf, MissingVersion);
        try
        {
            WholeFile.Write(target, elf);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The home folder is missing or not writable (containers): the temporary folder is used.
            target = Path.Combine(Directory.CreateTempSubdirectory("nulltext-native-").FullName, Wrapper);
            WholeFile.Write(target, elf);
        }
        return target;
    }

    /// <summary>Sets VER_FLG_WEAK on the one version requirement called <paramref name="version"/> of a 64-bit ELF file.</summary>
    /// <exception cref="InvalidDataException">The file is not such an ELF file or does not hold exactly one such requirement.</exception>
    internal static void MakeVersionOptional(Span<byte> elf, string version)
    {
        if (elf.Length < 64 || !elf[..4].SequenceEqual("\u007fELF"u8) || elf[4] != 2 || elf[5] != 1)
            throw new InvalidDataException("Not a 64-bit little-endian ELF file.");
        long programHeaders = BinaryPrimitives.ReadInt64LittleEndian(elf[32..]);
        int entrySize = BinaryPrimitives.ReadUInt16LittleEndian(elf[54..]);
        int entryCount = BinaryPrimitives.ReadUInt16LittleEndian(elf[56..]);
        List<(long Address, long Offset, long Size)> loads = [];
        (long Offset, long Size) dynamic = (0, 0);
        for (int i = 0; i < entryCount; i++)
        {
            Span<byte> header = elf[(int)(programHeaders + i * entrySize)..];
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
            long offset = BinaryPrimitives.ReadInt64LittleEndian(header[8..]);
            long address = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
            long size = BinaryPrimitives.ReadInt64LittleEndian(header[32..]);
            if (type == 1)
                loads.Add((address, offset, size));
            else if (type == 2)
                dynamic = (offset, size);
        }
        long ToOffset(long address)
        {
            foreach ((long a, long o, long s) in loads)
                if (address >= a && address < a + s)
                    return address - a + o;
            throw new InvalidDataException("An address of the dynamic section lies in no segment.");
        }
        long strings = -1,
            needs = -1,
            needCount = 0;
        for (long at = dynamic.Offset; at + 16 <= dynamic.Offset + dynamic.Size; at += 16)
        {
            long tag = BinaryPrimitives.ReadInt64LittleEndian(elf[(int)at..]);
            long value = BinaryPrimitives.ReadInt64LittleEndian(elf[(int)(at + 8)..]);
            if (tag == 0)
                break;
            if (tag == 5)
                strings = ToOffset(value);
            else if (tag == 0x6ffffffe)
                needs = ToOffset(value);
            else if (tag == 0x6fffffff)
                needCount = value;
        }
        if (strings < 0 || needs < 0)
            throw new InvalidDataException("The library has no version requirements.");
        int hits = 0;
        byte[] wanted = Encoding.ASCII.GetBytes(version + "\0");
        long need = needs;
        for (long n = 0; n < needCount; n++)
        {
            Span<byte> entry = elf[(int)need..];
            int auxiliaryCount = BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]);
            long auxiliary = need + BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]);
            for (int a = 0; a < auxiliaryCount; a++)
            {
                Span<byte> item = elf[(int)auxiliary..];
                long name = strings + BinaryPrimitives.ReadUInt32LittleEndian(item[8..]);
                if (elf[(int)name..].StartsWith(wanted))
                {
                    ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(item[4..]);
                    BinaryPrimitives.WriteUInt16LittleEndian(item[4..], (ushort)(flags | 2));
                    hits++;
                }
                auxiliary += BinaryPrimitives.ReadUInt32LittleEndian(item[12..]);
            }
            need += BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]);
        }
        if (hits != 1)
            throw new InvalidDataException($"Expected exactly one requirement {version}, found {hits}.");
    }

    // Size in bytes from which a block is allocated from the kernel and returned to it.
    internal const int LargeBlock = 32 << 20;

    // By default, glibc returns blocks of 128 kB and more to the kernel at each free, and explicit attention then spends half its time on page faults. Above 32
    // MB the work on a block outweighs its page faults, while the holes that such blocks leave in the heap would cost up to half of all memory. The full-size
    // benchmark is as fast with this value as with 120 MB, within 2 %.
    private static void TuneAllocator()
    {
        const int TrimThreshold = -1,
            MmapThreshold = -3;
        try
        {
            _ = mallopt(MmapThreshold, LargeBlock);
            _ = mallopt(TrimThreshold, int.MaxValue);
            HugePages.AdviseProcess();
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library (musl): it has no such knob, and needs none.
            _ = e;
        }
    }

    // Variables that libtorch and the OpenMP library read when they are loaded. They use the C library's environment, which Environment.SetEnvironmentVariable
    // does not change on Linux. A value that the user has set is kept.
    private static void SetDefaults()
    {
        Default(LogLevelVariable, "ERROR");
        // By default, a thread that waits for another at the end of an operation spins for milliseconds. On a busy machine, where the other one is not
        // scheduled at that moment, this takes nearly all the time.
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
            Default(SpinVariable, SpinCount);
    }

    private static void Default(string variable, string value)
    {
        try
        {
            _ = setenv(variable, value, overwrite: 0);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library (musl), for which libtorch is not built either.
            _ = e;
        }
    }

    // libtorch reads its log level only when Python starts, so this is done here. It also tries NNPACK at every small convolution, which logs a line each time
    // if NNPACK does not support the processor. Disabling NNPACK costs nothing: oneDNN already handles the batches of 16 and more that NNPACK would serve.
    private static unsafe void Quieten(string folder)
    {
        if (NativeLibrary.TryGetExport(NativeLibrary.Load(Path.Combine(folder, "libc10.so")), "_ZN3c1011initLoggingEv", out nint initLogging))
            ((delegate* unmanaged<void>)initLogging)();
        nint torch = NativeLibrary.Load(Path.Combine(folder, "libtorch_cpu.so"));
        if (
            NativeLibrary.TryGetExport(torch, "_ZN2at13globalContextEv", out nint globalContext)
            && NativeLibrary.TryGetExport(torch, "_ZN2at7Context20setUserEnabledNNPACKEb", out nint enableNnpack)
        )
            ((delegate* unmanaged<nint, byte, void>)enableNnpack)(((delegate* unmanaged<nint>)globalContext)(), 0);
    }

    /// <summary>Whether libtorch would use NNPACK; true if it does not say.</summary>
    internal static unsafe bool IsNnpackAsked()
    {
        nint torch = NativeLibrary.Load(Path.Combine(Report.Directory!, "libtorch_cpu.so"));
        return !NativeLibrary.TryGetExport(torch, "_ZN2at13globalContextEv", out nint globalContext)
            || !NativeLibrary.TryGetExport(torch, "_ZNK2at7Context17userEnabledNNPACKEv", out nint isEnabled)
            || ((delegate* unmanaged<nint, byte>)isEnabled)(((delegate* unmanaged<nint>)globalContext)()) != 0;
    }

    /// <summary>Returns freed memory to the operating system; worth calling between images. Does nothing outside glibc.</summary>
    public static void TrimMemory()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = malloc_trim(0);
            HugePages.AdviseProcess();
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            _ = e;
        }
    }

    [DllImport("libc.so.6", ExactSpelling = true)]
    private static extern int mallopt(int parameter, int value);

    [DllImport("libc.so.6", ExactSpelling = true)]
    private static extern int malloc_trim(nuint pad);

    [DllImport("libc.so.6", ExactSpelling = true, CharSet = CharSet.Ansi)]
    private static extern int setenv(string name, string value, int overwrite);
}
