using System.Collections.ObjectModel;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using NullTextResearch.Images;
using NullTextResearch.Interactive;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Jupyter;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Kernel.Tests.Jupyter;

/// <summary>Values of .NET in Python and back.</summary>
[Collection(nameof(PythonFixture))]
public sealed class PythonSharingTests
{
    private readonly PythonFixture _fixture;

    public PythonSharingTests(PythonFixture fixture)
    {
        _fixture = fixture;
        // As the kernel does when it starts: tensors and pictures are registered.
        RuntimeHelpers.RunModuleConstructor(typeof(Workbench).Module.ModuleHandle);
    }

    private enum Colour
    {
        Red,
    }

    private JupyterConnection Python => _fixture.Shared;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Values => [.. Samples.Keys];

    // Value, what Python says it is, what comes back where that is not the same.
    private static readonly Dictionary<string, (object? Value, string Python, object? Back)> Samples = new()
    {
        ["null"] = (null, "None", null),
        ["bool"] = (true, "True", true),
        ["int"] = (-7, "-7", -7),
        ["large int"] = (int.MinValue, "-2147483648", int.MinValue),
        ["long"] = (1L << 40, "1099511627776", 1L << 40),
        ["small long"] = (5L, "5", 5),
        ["ulong"] = (ulong.MaxValue, "18446744073709551615", ulong.MaxValue),
        ["big"] = (BigInteger.Pow(-3, 333), BigInteger.Pow(-3, 333).ToString(CultureInfo.InvariantCulture), BigInteger.Pow(-3, 333)),
        ["double"] = (0.1, "0.1", 0.1),
        ["whole double"] = (3.0, "3.0", 3.0),
        ["large double"] = (1e300, "1e+300", 1e300),
        ["smallest double"] = (double.Epsilon, "5e-324", double.Epsilon),
        ["minus zero"] = (-0.0, "-0.0", -0.0),
        ["nan"] = (double.NaN, "nan", double.NaN),
        ["infinity"] = (double.NegativeInfinity, "-inf", double.NegativeInfinity),
        ["float"] = (0.1f, "0.10000000149011612", 0.10000000149011612),
        ["half"] = ((Half)1.5, "1.5", 1.5),
        ["decimal"] = (12.340m, "Decimal('12.340')", 12.340m),
        ["complex"] = (new Complex(1, -2.5), "(1-2.5j)", new Complex(1, -2.5)),
        ["text"] = ("a\0ü€😀\n\"'\\\u2028", "'a\\x00ü€😀\\n\"\\'\\\\\\u2028'", "a\0ü€😀\n\"'\\\u2028"),
        ["half a pair"] = ("x\ud83dy\ude00", "'x\\ud83dy\\ude00'", "x\ud83dy\ude00"),
        ["letter"] = ('ß', "'ß'", "ß"),
        ["enum"] = (Colour.Red, "'Red'", "Red"),
        ["bytes"] = (new byte[] { 0, 255, 65 }, "b'\\x00\\xffA'", new byte[] { 0, 255, 65 }),
        ["list"] = (new List<int> { 1, 2, 3 }, "[1, 2, 3]", new List<int> { 1, 2, 3 }),
        ["array"] = (new[] { 1.0, 2.5 }, "[1.0, 2.5]", new List<double> { 1.0, 2.5 }),
        ["mixed numbers"] = (new object[] { 1, 2L << 40, 0.5 }, "[1, 2199023255552, 0.5]", new List<double> { 1, 2L << 40, 0.5 }),
        ["mixed"] = (
            new object?[] { 1, "a", null, new[] { true } },
            "[1, 'a', None, [True]]",
            new List<object?>
            {
                1,
                "a",
                null,
                new List<bool> { true },
            }
        ),
        ["empty"] = (Array.Empty<int>(), "[]", new List<object?>()),
        ["dictionary"] = (new Dictionary<string, int> { ["b"] = 1, ["a"] = 2 }, "{'b': 1, 'a': 2}", new Dictionary<string, int> { ["b"] = 1, ["a"] = 2 }),
        ["dollar"] = (
            new Dictionary<string, string> { ["$"] = "bytes", ["v"] = "x" },
            "{'$': 'bytes', 'v': 'x'}",
            new Dictionary<string, string> { ["$"] = "bytes", ["v"] = "x" }
        ),
        ["keys of numbers"] = (
            new ReadOnlyDictionary<int, double>(new Dictionary<int, double> { [3] = 0.5 }),
            "{3: 0.5}",
            new Dictionary<int, double> { [3] = 0.5 }
        ),
        ["tuple"] = ((1, "a", 2.5), "(1, 'a', 2.5)", (1, "a", 2.5)),
        ["set"] = (new HashSet<int> { 4 }, "{4}", new HashSet<int> { 4 }),
        ["record"] = (new Row("a", 1.5), "{'Name': 'a', 'Score': 1.5}", new Dictionary<string, object?> { ["Name"] = "a", ["Score"] = 1.5 }),
        ["anonymous"] = (
            new { X = 1, Y = new { Z = 2 } },
            "{'X': 1, 'Y': {'Z': 2}}",
            new Dictionary<string, object?>
            {
                ["X"] = 1,
                ["Y"] = new Dictionary<string, int> { ["Z"] = 2 },
            }
        ),
        ["time"] = (new DateTime(2026, 11, 29, 1, 2, 3, 456), "datetime.datetime(2026, 11, 29, 1, 2, 3, 456000)", new DateTime(2026, 11, 29, 1, 2, 3, 456)),
        ["moment"] = (
            new DateTimeOffset(2026, 11, 29, 1, 2, 3, TimeSpan.FromHours(-3)),
            "datetime.datetime(2026, 11, 29, 1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=75600)))",
            new DateTimeOffset(2026, 11, 29, 1, 2, 3, TimeSpan.FromHours(-3))
        ),
        ["date"] = (new DateOnly(2026, 1, 2), "datetime.date(2026, 1, 2)", new DateOnly(2026, 1, 2)),
        ["clock"] = (new TimeOnly(1, 2, 3), "datetime.time(1, 2, 3)", new TimeOnly(1, 2, 3)),
        ["span"] = (TimeSpan.FromMilliseconds(-1500.5), "datetime.timedelta(days=-1, seconds=86398, microseconds=499500)", TimeSpan.FromMilliseconds(-1500.5)),
        ["id"] = (
            Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"),
            "UUID('0f8fad5b-d9cb-469f-a165-70867728950e')",
            Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e")
        ),
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void Share_Value_IsPythonsOwnAndComesBack(string sample)
    {
        (object? value, string python, object? back) = Samples[sample];
        Assert.Null(Set("x", value));
        Assert.Equal(python, PythonRun.Eval(Python, "x"));
        object? got = Get("x");
        Assert.Equal(back, got);
        Assert.Equal(back?.GetType(), got?.GetType());
        if (back is double zero)
            Assert.Equal(BitConverter.DoubleToInt64Bits(zero), BitConverter.DoubleToInt64Bits((double)got!));
    }

    [Fact]
    public void Share_Table_IsAListOfDictionariesOrADataFrame()
    {
        Set("x", new[] { new Row("a", 1.5), new Row("b", double.NaN) });
        bool pandas = PythonRun.Eval(Python, "__import__('importlib.util').util.find_spec('pandas') is not None") == "True";
        if (pandas)
            Assert.Equal(
                "('DataFrame', ['Name', 'Score'], ['a', 'b'], 1.5)",
                PythonRun.Eval(Python, "(type(x).__name__, list(x.columns), list(x.Name), x.Score[0])")
            );
        else
            Assert.Equal("[{'Name': 'a', 'Score': 1.5}, {'Name': 'b', 'Score': nan}]", PythonRun.Eval(Python, "x"));
        List<Dictionary<string, object?>> back = Assert.IsType<List<Dictionary<string, object?>>>(Get("x"));
        Assert.Equal([new() { ["Name"] = "a", ["Score"] = 1.5 }, new() { ["Name"] = "b", ["Score"] = double.NaN }], back);
    }

    [Fact]
    public void Share_DataFrame_ComesBackAsRows()
    {
        PythonFixture.Require("pandas", "python3-pandas");
        PythonRun.Ok(
            Python,
            "import pandas\nx = pandas.DataFrame({'n': [1, 2], 'f': [0.5, float('nan')], 't': ['a', None], 'd': pandas.to_datetime(['2026-01-02', "
                + "None])})\ns = pandas.Series([1.5, 2.5]).rename('s')"
        );
        List<Dictionary<string, object?>> back = Assert.IsType<List<Dictionary<string, object?>>>(Get("x"));
        Assert.Equal(
            [
                new()
                {
                    ["n"] = 1,
                    ["f"] = 0.5,
                    ["t"] = "a",
                    ["d"] = new DateTime(2026, 1, 2),
                },
                new()
                {
                    ["n"] = 2,
                    ["f"] = double.NaN,
                    ["t"] = null,
                    ["d"] = null,
                },
            ],
            back
        );
        using Tensor series = Assert.IsType<Tensor>(Get("s"));
        Assert.Equal([1.5, 2.5], series.data<double>().ToArray());
    }

    [Theory]
    [InlineData("x = 5 if True else 0", 5)]
    [InlineData("import enum\nclass E(enum.IntEnum):\n    A = 3\nx = E.A", 3)]
    [InlineData("x = 2 ** 31", 2147483648L)]
    public void Get_PythonsNumbers_HaveTheTypeOfTheLiteral(string code, object expected)
    {
        PythonRun.Ok(Python, code);
        Assert.Equal(expected, Get("x"));
    }

    [Theory]
    [InlineData("numpy.float32(0.1)", 0.1f)]
    [InlineData("numpy.uint8(200)", (byte)200)]
    [InlineData("numpy.int64(-5)", -5L)]
    [InlineData("numpy.bool_(True)", true)]
    [InlineData("numpy.str_('ü')", "ü")]
    [InlineData("numpy.array(['a', 'b'])[1]", "b")]
    public void Get_NumpysNumbers_KeepTheirType(string expression, object expected)
    {
        PythonFixture.Require("numpy", "python3-numpy");
        PythonRun.Ok(Python, $"import numpy\nx = {expression}");
        Assert.Equal(expected, Get("x"));
    }

    [Theory]
    [InlineData("x = object()", "x is a builtins.object")]
    [InlineData("x = [1, {'a': (2, object())}]", "x[1]['a'][1] is a builtins.object")]
    [InlineData("x = []\nx.append(x)", "contains itself")]
    [InlineData("del x", "There is no variable 'x' in Python")]
    [InlineData("x = {None: 1}", "a dictionary has the key None")]
    [InlineData("import decimal\nx = decimal.Decimal('1e99')", "cannot be converted to .NET")]
    public void Get_WhatDotNetHasNot_IsRefusedWithItsPlace(string code, string expected)
    {
        PythonRun.Ok(Python, "x = None\nfor_the_list = 1");
        PythonRun.Ok(Python, code);
        CellException e = Assert.Throws<CellException>(() => Get("x"));
        Assert.Equal("ShareError", e.Name);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Set_WhatPythonHasNot_IsRefusedWithItsPlace()
    {
        Assert.Contains(
            "x[1].a is a Func<int>, which cannot be shared",
            Refused(
                "x",
                new object[]
                {
                    1,
                    new Dictionary<string, object> { ["a"] = (Func<int>)(() => 1) },
                }
            ),
            StringComparison.Ordinal
        );
        Assert.Contains("is a StringWriter", Refused("x", new StringWriter()), StringComparison.Ordinal);
        List<object> itself = [];
        itself.Add(itself);
        Assert.Contains("x[0] contains itself", Refused("x", itself), StringComparison.Ordinal);
        Assert.Contains("more than 10,000,000 items", Refused("x", Enumerable.Repeat(1, int.MaxValue)), StringComparison.Ordinal);
        Assert.Contains("x.Broken cannot be read: not today", Refused("x", new Faulty()), StringComparison.Ordinal);
        Assert.Contains("'class' is not a valid variable name", Refused("class", 1), StringComparison.Ordinal);
        Assert.Contains("'a b' is not a valid variable name", Refused("a b", 1), StringComparison.Ordinal);
        Tensor gone = zeros(1);
        gone.Dispose();
        Assert.Contains("disposed", Refused("x", gone), StringComparison.Ordinal);
        using Tensor complex = zeros(1, dtype: ScalarType.ComplexFloat32);
        Assert.Contains("tensor.real", Refused("x", complex), StringComparison.Ordinal);

        string Refused(string name, object value) => Assert.Throws<CellException>(() => Set(name, value)).Message;
    }

    [Fact]
    public void Set_NameInAnotherScript_Works()
    {
        Set("größe", 1);
        Set("𝐱y", 2);
        Assert.Equal("(1, 2)", PythonRun.Eval(Python, "(größe, 𝐱y)"));
        Assert.Equal(1, Get("größe"));
    }

    [Fact]
    public void Share_LargeTextAndList_PassThroughFiles()
    {
        string text = string.Concat(Enumerable.Repeat("ü€😀", 100_000));
        Set("x", text);
        Assert.Equal(text, Get("x"));
        List<double> list = [.. Enumerable.Range(0, 200_000).Select(i => i / 7.0)];
        Set("x", list);
        Assert.Equal(list, Assert.IsType<List<double>>(Get("x")));
        Assert.Empty(Leftovers());
    }

    public static TheoryData<ScalarType, string, string> Tensors
    {
        get
        {
            TheoryData<ScalarType, string, string> data = [];
            (ScalarType, string)[] types =
            [
                (ScalarType.Bool, "bool"),
                (ScalarType.Byte, "uint8"),
                (ScalarType.Int8, "int8"),
                (ScalarType.Int16, "int16"),
                (ScalarType.Int32, "int32"),
                (ScalarType.Int64, "int64"),
                (ScalarType.Float16, "float16"),
                (ScalarType.Float32, "float32"),
                (ScalarType.Float64, "float64"),
            ];
            foreach ((ScalarType type, string name) in types)
            {
                foreach (string layout in (string[])["plain", "strided", "single", "empty", "large"])
                    data.Add(type, name, layout);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Tensors))]
    public void Share_Tensor_IsBitwiseEqualThereAndBack(ScalarType type, string name, string layout)
    {
        PythonFixture.Require("numpy", "python3-numpy");
        using DisposeScope scope = NewDisposeScope();
        // Every pattern of bits, not-a-numbers with a payload among them; of bool only its two.
        Tensor values = empty([6, 5, 4], dtype: type);
        RandomNumberGenerator.Fill(values.bytes);
        if (type == ScalarType.Bool)
        {
            foreach (ref byte b in values.bytes)
                b &= 1;
        }

        Tensor sent = layout switch
        {
            "strided" => values.transpose(0, 2).slice(1, 1, 5, 2),
            "single" => values.select(0, 1).select(0, 2).select(0, 3),
            "empty" => values.narrow(1, 0, 0),
            // More than is passed on at a time, in and out.
            "large" => values.view(-1).repeat(200_000).view(200, -1, 8),
            _ => values,
        };
        Set("x", sent);
        string hash = Convert.ToHexStringLower(SHA256.HashData(sent.contiguous().bytes));
        Assert.Equal(
            $"('{name}', ({string.Join(", ", sent.shape)}{(sent.dim() == 1 ? "," : "")}), '{hash}', True)",
            PythonRun.Eval(Python, "(x.dtype.name, x.shape, __import__('hashlib').sha256(x.tobytes()).hexdigest(), x.flags.writeable)")
        );
        // Back from an array whose elements do not lie one after the other, and from one with the other order of bytes.
        foreach (string change in (string[])["y = x", "y = x.T.copy().T", "y = x.astype(x.dtype.newbyteorder('>'))"])
        {
            if (change.Contains('>', StringComparison.Ordinal) && type is ScalarType.Float16 or ScalarType.Float32 or ScalarType.Float64)
            {
                // numpy's conversion quiets signalling not-a-numbers; swapping the bytes does not.
                PythonRun.Ok(Python, "y = x.byteswap().view(x.dtype.newbyteorder('>'))");
            }
            else
            {
                PythonRun.Ok(Python, change);
            }

            using Tensor back = Assert.IsType<Tensor>(PythonFixture.Wait(Python.GetAsync("y", typeof(Tensor), Cancel)).Value);
            Assert.Equal(type, back.dtype);
            Assert.Equal(sent.shape, back.shape);
            Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(back.bytes)));
        }

        Assert.Empty(Leftovers());
    }

    [Fact]
    public void Share_TensorWithGradient_IsItsValues()
    {
        PythonFixture.Require("numpy", "python3-numpy");
        using Tensor weights = ones(2, requires_grad: true);
        Set("x", weights);
        Assert.Equal("[1.0, 1.0]", PythonRun.Eval(Python, "x.tolist()"));
    }

    [Fact]
    public void Share_BFloat16_IsFloat32WithANote()
    {
        PythonFixture.Require("numpy", "python3-numpy");
        using Tensor values = tensor(new[] { 1.5f, -3.25f }).to(ScalarType.BFloat16);
        Assert.Contains("float32", Set("x", values), StringComparison.Ordinal);
        Assert.Equal("('float32', [1.5, -3.25])", PythonRun.Eval(Python, "(x.dtype.name, x.tolist())"));
    }

    [Fact]
    public void Share_Picture_IsHeightWidthThree()
    {
        PythonFixture.Require("numpy", "python3-numpy");
        RgbImage image = new(5, 3, RandomNumberGenerator.GetBytes(45));
        Set("x", image);
        Assert.Equal($"('uint8', (3, 5, 3), '{Convert.ToHexStringLower(image.Rgb)}')", PythonRun.Eval(Python, "(x.dtype.name, x.shape, x.tobytes().hex())"));
        Assert.Equal(image, Get("x"));
        Set("xs", new[] { image, image });
        Assert.Equal([image, image], Assert.IsType<List<RgbImage>>(Get("xs")));
        PythonRun.Ok(Python, "y = x.astype('float32')");
        CellException e = Assert.Throws<CellException>(() => PythonFixture.Wait(Python.GetAsync("y", typeof(RgbImage), Cancel)));
        Assert.Contains("A picture is UInt8 [height, width, 3]", e.Message, StringComparison.Ordinal);
        using Tensor tensor = Assert.IsType<Tensor>(PythonFixture.Wait(Python.GetAsync("x", typeof(Tensor), Cancel)).Value);
        Assert.Equal([3, 5, 3], tensor.shape);
    }

    [Fact]
    public void Share_PilPicture_IsOurs()
    {
        PythonFixture.Require("PIL", "python3-pil");
        PythonRun.Ok(Python, "from PIL import Image\nx = Image.new('L', (4, 2), 128)");
        Assert.Equal(new RgbImage(4, 2, [.. Enumerable.Repeat((byte)128, 24)]), Get("x"));
    }

    [Fact]
    public void Share_DotNetsOwnArrays_KeepWhatTensorsHaveNot()
    {
        PythonFixture.Require("numpy", "python3-numpy");
        double[,] matrix =
        {
            { 1, 2, 3 },
            { 4, 5, 6 },
        };
        Set("x", matrix);
        Assert.Equal("('float64', [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])", PythonRun.Eval(Python, "(x.dtype.name, x.tolist())"));
        Assert.Equal(matrix, PythonFixture.Wait(Python.GetAsync("x", typeof(double[,]), Cancel)).Value);
        PythonRun.Ok(Python, "import numpy\ny = numpy.array([[1, 65535]], dtype='uint16')");
        Assert.Equal(
            new ushort[,]
            {
                { 1, 65535 },
            },
            Assert.IsType<ushort[,]>(Get("y"))
        );
    }

    [Theory]
    [InlineData("numpy.zeros(3, dtype='complex64')", "complex64")]
    [InlineData("numpy.zeros(3, dtype='M8[s]')", "datetime64")]
    [InlineData("numpy.zeros(3, dtype=[('a', 'i4')])", "astype")]
    public void Get_ArrayOfAnotherKind_IsRefused(string expression, string expected)
    {
        PythonFixture.Require("numpy", "python3-numpy");
        PythonRun.Ok(Python, $"import numpy\nx = {expression}");
        Assert.Contains(expected, Assert.Throws<CellException>(() => Get("x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Share_WithoutNumpy_SaysWhatToInstall()
    {
        using JupyterConnection python = _fixture.Start();
        PythonRun.Ok(python, "import sys\nsys.modules['numpy'] = None");
        using Tensor values = ones(2);
        string message = Assert.Throws<CellException>(() => PythonFixture.Wait(python.SetAsync("x", values, Cancel))).Message;
        Assert.Contains("pip install numpy", message, StringComparison.Ordinal);
        // Everything else needs none.
        PythonFixture.Wait(python.SetAsync("x", new[] { 1, 2 }, Cancel));
        Assert.Equal("[1, 2]", PythonRun.Eval(python, "x"));
        Assert.Empty(Leftovers());
    }

    [Fact]
    public void Share_Cancelled_LeavesNoFileAndAPythonThatAnswers()
    {
        PythonFixture.Require("numpy", "python3-numpy");
        PythonRun.Ok(
            Python,
            "class Slow(dict):\n    def items(self):\n        while True: pass\nslow = Slow()\nbig = [__import__('numpy').zeros(10 ** 6), slow]\nkept = 9"
        );
        using CancellationTokenSource stop = new();
        Task get = Python.GetAsync("big", null, stop.Token);
        Thread.Sleep(300);
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => PythonFixture.Wait(get));
        Assert.Empty(Leftovers());
        Assert.Equal("9", PythonRun.Eval(Python, "kept"));
        using CancellationTokenSource before = new();
        before.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => PythonFixture.Wait(Python.SetAsync("x", 1, before.Token)));
    }

    [Fact]
    public void Share_PythonDiesMeanwhile_LeavesNoFile()
    {
        PythonFixture.Require("numpy", "python3-numpy");
        using JupyterConnection python = _fixture.Start();
        PythonRun.Ok(python, "class Deadly(dict):\n    def items(self): __import__('os')._exit(4)\nx = [__import__('numpy').zeros(1000), Deadly()]");
        CellException e = Assert.Throws<CellException>(() => PythonFixture.Wait(python.GetAsync("x", null, Cancel)));
        Assert.Contains("exit code 4", e.Message, StringComparison.Ordinal);
        Assert.Empty(Leftovers());
    }

    [Fact]
    public void Files_OfAKilledProcess_AreRemovedByTheNext()
    {
        // No process has this number: the system's largest is smaller.
        string stray = Path.Combine(TransferFiles.Folders[0], "nulltext-share-2147483646-0123456789abcdef-n0");
        string own = Path.Combine(TransferFiles.Folders[0], $"nulltext-share-{Environment.ProcessId}-another-n0");
        File.WriteAllText(stray, "x");
        File.WriteAllText(own, "x");
        try
        {
            using TransferFiles files = new();
            Assert.False(File.Exists(stray));
            Assert.True(File.Exists(own));
            string path = files.Write([1, 2, 3], Cancel);
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            Assert.Throws<CellException>(() => files.Open("/etc/passwd"));
            Assert.Throws<CellException>(() => files.Open(own));
        }
        finally
        {
            File.Delete(own);
        }
    }

    // Tests of this class take turns, so none of these belongs to a share that goes on.
    private static List<string> Leftovers() => [.. TransferFiles.Folders.SelectMany(f => Directory.GetFiles(f, $"nulltext-share-{Environment.ProcessId}-*"))];

    private string? Set(string name, object? value) => PythonFixture.Wait(Python.SetAsync(name, value, Cancel));

    private object? Get(string name) => PythonFixture.Wait(Python.GetAsync(name, null, Cancel)).Value;

    public sealed record Row(string Name, double Score);

    private sealed class Faulty
    {
        public int Broken => throw new InvalidOperationException("not today");
    }
}
