namespace NullTextResearch.DotNetInteractive.Tests;

/// <summary>The cells that run in the tool. Numbers of cells count from the one that brings the library, which is 0.</summary>
internal static class Sessions
{
    public const int Load = 0, Help = 1, Doctor = 2, Unknown = 3, Plotly = 4, Open = 5, Invert = 6, Chart = 7, Picture = 8, Members = 9, Host = 10, Loaded = 11, Again = 12;

    private const string OpenBench = "using NullTextResearch.Interactive;\nvar bench = Workbench.Open(null, new WorkbenchOptions { LoadPlotly = false });\nbench";
    private const string InvertOne = "var image = await bench.Invert(bench.Examples(1)[0], new InvertOptions { Steps = 6, Method = Methods.NullText(2) });\nimage";

    private const string Assemblies = """
        foreach (var a in AppDomain.CurrentDomain.GetAssemblies())
            if (a.GetName().Name is "FSharp.Core" or "Plotly.NET" or "Microsoft.CodeAnalysis" or "System.CommandLine" or "NullTextResearch" or "TorchSharp")
                Console.WriteLine($"{a.GetName().Name} {a.GetName().Version} {System.Runtime.Loader.AssemblyLoadContext.GetLoadContext(a).Name}");
        """;

    /// <summary>After <c>#r "nuget: NullTextResearch.DotNetInteractive"</c>.</summary>
    public static readonly string[] Package =
    [
        "#!nulltext help",
        "#!nulltext doctor",
        "#!nulltext nonsense",
        "#!nulltext plotly",
        OpenBench,
        InvertOne,
        "image.LossChart()",
        "bench.Examples(1)[0].Image",
        "image.Inversion",
        "using NullTextResearch.Hosting;\nvar bar = Notebook.Host.Display(\"begun\");\nbar.Update(\"gone on\");\n$\"{Notebook.Host.Name}, {Notebook.Cancellation.CanBeCanceled}\"",
        Assemblies,
        "using Microsoft.DotNet.Interactive;\nusing System.Threading;\nawait NullTextResearch.DotNetInteractive.NullTextExtension.LoadAsync();\n\"again\"",
    ];

    /// <summary>After <c>#r "folder/NullTextResearch.DotNetInteractive.dll"</c>.</summary>
    public static readonly string[] Path =
    [
        "await NullTextResearch.DotNetInteractive.NullTextExtension.LoadAsync();",
        "#!nulltext",
        OpenBench,
        InvertOne,
        "image.LossChart()",
        Assemblies,
    ];
}
