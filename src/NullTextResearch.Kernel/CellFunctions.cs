using System.Diagnostics.CodeAnalysis;
using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Formatting;

namespace NullTextResearch.Kernel;

/// <summary>
/// Functions that every cell can call without a using directive. Names and casing follow .NET Interactive, so that a notebook runs in both.
/// </summary>
[SuppressMessage("Style", "IDE1006", Justification = "The names that C# notebooks use.")]
public static class CellFunctions
{
    /// <summary>Shows a value below the cell.</summary>
    /// <param name="value">Anything.</param>
    /// <param name="mimeTypes">MIME types to show; none: all that the value has. For a string value, the first one is the type of the string.</param>
    /// <returns>A handle whose <c>Update</c> replaces what is shown.</returns>
    public static IDisplayHandle display(object? value, params string[] mimeTypes) => KernelHost.Instance.Display(value, mimeTypes);

    /// <summary>Shows a value below the cell; same as <see cref="display"/>.</summary>
    public static IDisplayHandle Display(this object? value, params string[] mimeTypes) => KernelHost.Instance.Display(value, mimeTypes);

    /// <summary>Marks text as HTML.</summary>
    /// <returns>A value that shows as markup: end the cell with it, or pass it to <see cref="display"/>.</returns>
    public static HtmlText HTML(string content) => new(content);

    /// <summary>Runs JavaScript in the front end, if it trusts the notebook.</summary>
    public static void Javascript(string content) =>
        display(new MimeBundle("(script)").With("text/html", $"<script type=\"text/javascript\">{content}</script>"));

    /// <summary>Adds a style sheet to the notebook page.</summary>
    public static void CSS(string content) => display(new MimeBundle("(style sheet)").With("text/html", $"<style>{content}</style>"));

    /// <summary>Shows Markdown.</summary>
    public static IDisplayHandle Markdown(string content) => display(new MimeBundle(content).With("text/markdown", content));

    /// <summary>Removes the outputs of this cell.</summary>
    /// <param name="wait">True: only when the next output arrives, which avoids flicker.</param>
    public static void clear_output(bool wait = false) => KernelHost.Instance.ClearOutput(wait);

    /// <summary>Asks the user for a line of text.</summary>
    /// <exception cref="InvalidOperationException">Nobody can answer: the notebook runs unattended.</exception>
    public static string input(string prompt = "") => KernelHost.Instance.ReadLine(prompt);

    /// <summary>Asks the user for a line of text without showing it.</summary>
    /// <exception cref="InvalidOperationException">Nobody can answer: the notebook runs unattended.</exception>
    public static string password(string prompt = "") => KernelHost.Instance.ReadLine(prompt, hidden: true);
}
