using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.Directives;
using NullTextResearch.Interactive.Checkups;
using NullTextResearch.Inversion;

namespace NullTextResearch.DotNetInteractive;

/// <summary>The directive <c>#!nulltext</c>, as in <c>#!nulltext help</c>.</summary>
internal static class NullTextDirective
{
    private const string Name = "#!nulltext";

    private static readonly (string Word, string Use, Func<KernelInvocationContext, Task> Run)[] Words =
    [
        ("help", "list these words, and a first example", Help),
        ("doctor", "check the installation, and say how to fix it", Doctor),
        ("methods", "list the inversion methods", Methods),
        ("plotly", "show Plotly.NET charts with its own formatter, which loads from two CDNs; this library's charts never do", PlotlyNet.ShowAsync),
    ];

    /// <summary>Adds the directive.</summary>
    public static void AddTo(Kernel root)
    {
        KernelActionDirective directive = new(Name)
        {
            Description = "NullTextResearch: help, doctor, methods, plotly",
            Parameters =
            {
                new KernelDirectiveParameter("--word", $"One of: {string.Join(", ", Words.Select(w => w.Word))}") { AllowImplicitName = true }.AddCompletions(
                    () =>
                        Words.Select(w => w.Word)
                ),
            },
        };
        root.AddDirective<NullTextCommand>(directive, (command, context) => RunAsync(command.Word ?? "help", context));
    }

    private static Task RunAsync(string word, KernelInvocationContext context)
    {
        int known = Array.FindIndex(Words, w => w.Word == word);
        if (known >= 0)
            return Words[known].Run(context);
        context.Fail(context.Command, message: $"{Name} does not know '{word}'; expected one of: {string.Join(", ", Words.Select(w => w.Word))}.");
        return Task.CompletedTask;
    }

    private static Task Help(KernelInvocationContext context)
    {
        context.DisplayAs(
            $"""
            {string.Join('\n', Words.Select(w => $"{Name} {w.Word, -8} {w.Use}"))}

            using NullTextResearch;
            using NullTextResearch.Interactive;
            var bench = Workbench.Open();                                  // sd-mini; or the folder or file of a Stable Diffusion model
            var image = await bench.Invert("photo.png", "a cat on a meadow");
            await bench.Edit(image, "a dog on a meadow")                   // shows source, reconstruction and edit
            """,
            "text/plain"
        );
        return Task.CompletedTask;
    }

    private static Task Methods(KernelInvocationContext context)
    {
        context.DisplayAs(InversionCatalogue.ToText() + "\n\nMethods.Of(\"direct\") creates one; T: number of steps, N: inner steps.", "text/plain");
        return Task.CompletedTask;
    }

    private static async Task Doctor(KernelInvocationContext context)
    {
        StringWriter found = new();
        // libtorch's thread count is a setting of the calling thread: the kernel's thread keeps its own.
        await Task.Run(() => new Checkup().Run(found, context.CancellationToken), context.CancellationToken);
        context.DisplayAs(found.ToString(), "text/plain");
    }
}

/// <summary>One use of the directive; created by the kernel from the cell's text.</summary>
internal sealed class NullTextCommand : KernelDirectiveCommand
{
    /// <summary>The word after the directive, or null.</summary>
    public string? Word { get; set; }
}
