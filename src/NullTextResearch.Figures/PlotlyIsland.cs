using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NullTextResearch.Figures;

/// <summary>
/// Plotly.NET in a process that has already loaded a different FSharp.Core than the one it was built against, as .NET Interactive
/// does. A process can hold one FSharp.Core per load context, so there Plotly.NET gets a separate context, with a second
/// copy of this assembly; charts go in as JSON, and Plotly JSON comes out.
/// </summary>
internal static class PlotlyIsland
{
    private static readonly JsonSerializerOptions Layout = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private static readonly Lazy<bool> Fits = new(Probe);
    private static readonly Lazy<Func<string, string, string>> Crossing = new(Open);

    /// <summary>Plotly JSON of a chart: directly if Plotly.NET loads, else through the island.</summary>
    public static string Json(Chart chart) => Fits.Value ? PlotlyFigure.Json(chart) : JsonOnIsland(chart);

    /// <summary>As <see cref="Json"/>, always through the island.</summary>
    public static string JsonOnIsland(Chart chart) => Crossing.Value(chart.GetType().Name, JsonSerializer.Serialize(chart, chart.GetType(), Layout));

    // The island's entry point; found by name.
    internal static string Draw(string kind, string json)
    {
        Type type = kind switch
        {
            nameof(LineChart) => typeof(LineChart),
            nameof(BarChart) => typeof(BarChart),
            nameof(ScatterChart) => typeof(ScatterChart),
            nameof(HeatmapChart) => typeof(HeatmapChart),
            _ => throw new ArgumentException($"'{kind}' is not a chart of this library.", nameof(kind)),
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
            // What the runtime throws for a library that it cannot bind; anything else is our bug and must surface.
            return false;
        }
    }

    // A separate method: it fails when it is compiled, which must happen inside the try.
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
                "Plotly.NET does not load next to this program's FSharp.Core, and the location of NullTextResearch.Figures is not known. Reference "
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
            // In a build's output folder, packages lie elsewhere; the context that found them knows where. FSharp.Core must not come from there.
            return name.Name == "FSharp.Core" ? null : GetLoadContext(typeof(PlotlyIsland).Assembly)?.LoadFromAssemblyName(name);
        }

        // If this assembly lies in NuGet's package folder, ROOT/nulltextresearch.figures/VERSION/lib/net10.0, so do the dependencies of its package.
        // Those packages have the names of their assemblies.
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
