using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.Directives;
using NullTextResearch.Interactive.Checkups;
using NullTextResearch.Inversion;

namespace NullTextResearch.DotNetInteractive;

/// <summary><c>#!nulltext help</c> and its like.</summary>
internal static class NullTextDirective
{
    private const string Name = "#!nulltext";

    private static readonly (string Word, string Use, Func<KernelInvocationContext, Task> Run)[] Words =
    [
        ("help", "what there is to call", Help),
        ("doctor", "whether everything is in place, and how to mend what is not", Doctor),
        ("methods", "the ways to invert an image", Methods),
        ("plotly", "show charts of Plotly.NET by its own formatter, which asks two CDNs; charts of this library never do", PlotlyNet.ShowAsync),
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
        context.Fail(context.Command, message: $"{Name} knows no '{word}'; it takes one of: {string.Join(", ", Words.Select(w => w.Word))}.");
        return Task.CompletedTask;
    }

    private static Task Help(KernelInvocationContext context)
    {
        context.DisplayAs(
            $"""
            {string.Join('\n', Words.Select(w => $"{Name} {w.Word, -8} {w.Use}"))}

            using NullTextResearch;
            using NullTextResearch.Interactive;
            var bench = Workbench.Open();                                  // sd-mini; or the folder or file of a Stable Diffusion
            var image = await bench.Invert("photo.png", "a cat on a meadow");
            await bench.Edit(image, "a dog on a meadow")                   // shows source, reconstruction and edit
            """,
            "text/plain"
        );
        return Task.CompletedTask;
    }

    private static Task Methods(KernelInvocationContext context)
    {
        context.DisplayAs(InversionCatalogue.ToText() + "\n\nMethods.Of(\"direct\") makes one; T is the number of steps, N that of inner steps.", "text/plain");
        return Task.CompletedTask;
    }

    private static async Task Doctor(KernelInvocationContext context)
    {
        StringWriter found = new();
        // libtorch's threads are a setting of the thread: the kernel's own keeps what it has.
        await Task.Run(() => new Checkup().Run(found, context.CancellationToken), context.CancellationToken);
        context.DisplayAs(found.ToString(), "text/plain");
    }
}

/// <summary>One use of the directive; made by the kernel out of what stands in the cell.</summary>
internal sealed class NullTextCommand : KernelDirectiveCommand
{
    /// <summary>The word after it, or null.</summary>
    public string? Word { get; set; }
}
