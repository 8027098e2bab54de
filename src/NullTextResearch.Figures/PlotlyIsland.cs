using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NullTextResearch.Figures;

/// <summary>
/// Plotly.NET in a process that already holds another FSharp.Core than the one it was built against, as .NET Interactive
/// does. A process can hold one FSharp.Core per load context, so there Plotly.NET gets a context of its own, with a second
/// copy of this assembly; charts go in as JSON, Plotly JSON comes out.
/// </summary>
internal static class PlotlyIsland
{
    private static readonly JsonSerializerOptions Layout = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private static readonly Lazy<bool> Fits = new(Probe);
    private static readonly Lazy<Func<string, string, string>> Crossing = new(Open);

    /// <summary>Plotly JSON of a chart: directly where Plotly.NET loads, else by way of the island.</summary>
    public static string Json(Chart chart) => Fits.Value ? PlotlyFigure.Json(chart) : JsonOnIsland(chart);

    /// <summary>As <see cref="Json"/>, always by way of the island.</summary>
    public static string JsonOnIsland(Chart chart) => Crossing.Value(chart.GetType().Name, JsonSerializer.Serialize(chart, chart.GetType(), Layout));

    // The island's end of the crossing; called by name.
    internal static string Draw(string kind, string json)
    {
        Type type = kind switch
        {
            nameof(LineChart) => typeof(LineChart),
            nameof(BarChart) => typeof(BarChart),
            nameof(ScatterChart) => typeof(ScatterChart),
            nameof(HeatmapChart) => typeof(HeatmapChart),
            _ => throw new ArgumentException($"'{kind}' is no chart of this library.", nameof(kind)),
        };
        return PlotlyFigure.Json((Chart)JsonSerializer.Deserialize(json, type, Layout)!);
    }

    private static bool Probe()
    {
        try
        {
            DrawOne();
            return true;
        }
        catch (Exception e) when (e is IOException or BadImageFormatException or TypeLoadException or MissingMemberException or TypeInitializationException)
        {
            // What the runtime says of a library that it cannot bind; anything else is a fault of ours and must be seen.
            return false;
        }
    }

    // A method of its own: it fails when it is compiled, which must happen inside the try.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DrawOne() =>
        PlotlyFigure.Json(
            new LineChart
            {
                Title = "probe",
                XAxis = new Axis("x"),
                YAxis = new Axis("y"),
                Series = [new LineSeries("probe", [0], [0])],
                HorizontalLines = [new ReferenceLine("line", 0)],
            }
        );

    private static Func<string, string, string> Open()
    {
        string here = typeof(PlotlyIsland).Assembly.Location;
        if (here.Length == 0)
        {
            throw new InvalidOperationException(
                "Plotly.NET does not load beside this program's FSharp.Core, and where NullTextResearch.Figures was loaded from is not known. Reference "
                    + "it from a published folder: #r \".../NullTextResearch.Interactive.dll\"."
            );
        }

        Assembly copy = new Context(Path.GetDirectoryName(here)!).LoadFromAssemblyPath(here);
        MethodInfo draw = copy.GetType(typeof(PlotlyIsland).FullName!, throwOnError: true)!
            .GetMethod(nameof(Draw), BindingFlags.NonPublic | BindingFlags.Static)!;
        return draw.CreateDelegate<Func<string, string, string>>();
    }

    private sealed class Context(string folder) : AssemblyLoadContext("Plotly.NET")
    {
        protected override Assembly? Load(AssemblyName name)
        {
            string file = Path.Combine(folder, name.Name + ".dll");
            if (File.Exists(file))
                return LoadFromAssemblyPath(file);
            if (InPackages(name) is { } package)
                return LoadFromAssemblyPath(package);
            // In a build's output folder packages lie elsewhere; who already found them says where. FSharp.Core is what must not come from there.
            return name.Name == "FSharp.Core" ? null : GetLoadContext(typeof(PlotlyIsland).Assembly)?.LoadFromAssemblyName(name);
        }

        // Where this assembly lies in NuGet's folder of packages, ROOT/nulltextresearch.figures/VERSION/lib/net10.0, what its package asks for lies there too:
        // packages that are called as their assemblies are.
        private string? InPackages(AssemblyName name)
        {
            if (Path.GetFileName(Path.GetDirectoryName(folder)) != "lib")
                return null;
            string package = Path.Combine(Path.GetFullPath("../../../..", folder), name.Name!.ToLowerInvariant());
            if (!Directory.Exists(package))
                return null;
            return (
                from version in Directory.GetDirectories(package).OrderDescending(StringComparer.Ordinal)
                let lib = Path.Combine(version, "lib")
                where Directory.Exists(lib)
                from framework in Directory.GetDirectories(lib, "netstandard2.*").OrderDescending(StringComparer.Ordinal)
                let file = Path.Combine(framework, name.Name + ".dll")
                where File.Exists(file) && AssemblyName.GetAssemblyName(file).Version == name.Version
                select file
            ).FirstOrDefault();
        }
    }
}
