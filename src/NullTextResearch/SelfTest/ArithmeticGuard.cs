using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using static TorchSharp.torch;

namespace NullTextResearch.SelfTest;

/// <summary>Tests the machine once and remembers the result.</summary>
/// <param name="folder">Where results are stored for later processes.</param>
/// <param name="test">Tests a precision with a given number of threads.</param>
internal sealed class ArithmeticGuard(string folder, Func<ScalarType, int, IReadOnlyList<ArithmeticCheck>> test)
{
    private readonly Dictionary<(ScalarType, bool), IReadOnlyList<string>> _known = [];

    /// <summary>Throws if any operation computes wrong results.</summary>
    /// <exception cref="WrongArithmeticException">An operation computes wrong results.</exception>
    public void Require(ScalarType dtype, int threads)
    {
        IReadOnlyList<string> wrong = WrongOf(dtype, threads);
        if (wrong.Count > 0)
            throw new WrongArithmeticException(Processor.Name, dtype, wrong);
    }

    /// <summary>The faults found, one sentence each.</summary>
    public IReadOnlyList<string> WrongOf(ScalarType dtype, int threads)
    {
        lock (_known)
        {
            bool several = threads > 1;
            if (_known.TryGetValue((dtype, several), out IReadOnlyList<string>? known))
                return known;
            string path = Path.Combine(folder, $"{Key(dtype, several)}.json");
            IReadOnlyList<string>? wrong = Read(path);
            if (wrong is null)
            {
                wrong = [.. test(dtype, threads).Where(c => c.Verdict == ArithmeticVerdict.Wrong).Select(c => c.ToString())];
                Remember(path, wrong);
            }
            return _known[(dtype, several)] = wrong;
        }
    }

    // These environment variables change which kernels are chosen.
    private static string Key(ScalarType dtype, bool several) =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    JsonSerializer.Serialize(
                        (string?[])
                            [
                                Processor.Fingerprint,
                                __version__,
                                typeof(ArithmeticGuard).Module.ModuleVersionId.ToString(),
                                dtype.ToString(),
                                several ? "several" : "one",
                                .. ((string[])["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY"]).Select(Environment.GetEnvironmentVariable),
                            ]
                    )
                )
            )
        )[..32];

    private static IReadOnlyList<string>? Read(string path)
    {
        try
        {
            return File.Exists(path)
                ? JsonSerializer.Deserialize<string[]>(File.ReadAllBytes(path)) is { } lines && lines.All(l => l is not null)
                    ? lines
                    : null
                : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            // An unreadable result is treated as missing: the test runs again.
            return null;
        }
    }

    private static void Remember(string path, IReadOnlyList<string> wrong)
    {
        try
        {
            WholeFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(wrong));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The home folder is not writable. The only cost is that the next process tests again.
        }
    }
}
