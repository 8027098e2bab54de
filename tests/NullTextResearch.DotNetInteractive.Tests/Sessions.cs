namespace NullTextResearch.DotNetInteractive.Tests;

/// <summary>The cells that run in the tool. Numbers of cells count from the one that brings the library, which is 0.</summary>
internal static class Sessions
{
    public const int Load = 0,
        Help = 1,
        Doctor = 2,
        Unknown = 3,
        Plotly = 4,
        Open = 5,
        Invert = 6,
        Chart = 7,
        Picture = 8,
        Members = 9,
        Host = 10,
        Loaded = 11,
        Again = 12,
        Live = 13,
        Explore = 14;

    private const string OpenBench =
        "using NullTextResearch;\nusing NullTextResearch.Interactive;\nvar bench = Workbench.Open(null, new WorkbenchOptions { LoadPlotly = false });\nbench";
    private const string InvertOne =
        "var image = await bench.Invert(bench.Examples(1)[0], new InvertOptions { Steps = 6, Method = Methods.NullText(2) });\nimage";

    private const string Assemblies = """
        foreach (var a in AppDomain.CurrentDomain.GetAssemblies())
            if (a.GetName().Name is "FSharp.Core" or "Plotly.NET" or "Microsoft.CodeAnalysis" or "System.CommandLine" or "NullTextResearch" or "TorchSharp")
                Console.WriteLine($"{a.GetName().Name} {a.GetName().Version} {System.Runtime.Loader.AssemblyLoadContext.GetLoadContext(a).Name}");
        """;

    // A page that asks, as live.js does.
    private const string AskOnce = """
        using System.Net.WebSockets;
        using System.Text;
        using NullTextResearch.Hosting;
        var asked = Notebook.Host.Serve("echo", (message, send, _) => send(new System.Text.Json.Nodes.JsonObject { ["heard"] = message["n"].DeepClone() }));
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(asked.Address, default);
        await socket.SendAsync(Encoding.UTF8.GetBytes("{\"n\": 5}"), WebSocketMessageType.Text, true, default);
        var heard = new byte[1000];
        Encoding.UTF8.GetString(heard, 0, (await socket.ReceiveAsync(heard, default)).Count)
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
        "using NullTextResearch.Hosting;\nvar bar = Notebook.Host.Display(\"begun\");\nbar.Update(\"gone on\");\n$\"{Notebook.Host.Name}, "
            + "{Notebook.Cancellation.CanBeCanceled}\"",
        Assemblies,
        "using Microsoft.DotNet.Interactive;\nusing System.Threading;\nawait NullTextResearch.DotNetInteractive.NullTextExtension.LoadAsync();\n\"again\"",
        AskOnce,
        "var seen = await bench.Explore(image, [SweepAxis.Guidance(1, 2, 4, 7.5)]);\n$\"{seen.Points.Count} {seen.IsLive}\"",
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
