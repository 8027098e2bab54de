using System.Text;
using NullTextResearch.Text;
using Spectre.Console;

namespace NullTextResearch.Cli.Running;

/// <summary>The terminal, or what stands in its place.</summary>
internal static class Terminal
{
    private static TextWriter _error = Console.Error;

    /// <summary>
    /// From here on everything that the program prints is text, whatever file, server or prompt it came from: the one place where
    /// escape sequences are taken out.
    /// </summary>
    public static void Guard()
    {
        _error = Console.Error;
        Console.SetOut(new PlainWriter(Console.Out));
        Console.SetError(new PlainWriter(Console.Error));
    }

    /// <summary>Whether bars that move can be shown on standard error.</summary>
    public static bool ShowsBars => !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>Standard error as a console that can draw, for <see cref="ShowsBars"/>; its texts must be cleaned before they are given to it.</summary>
    public static IAnsiConsole Drawing() =>
        AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new ErrorOutput(_error),
                ColorSystem = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            }
        );

    /// <summary>A text for <see cref="Drawing"/>: neither the terminal nor the console takes anything in it for an order.</summary>
    public static string Plain(string text) => Markup.Escape(PrintableText.Clean(text));

    /// <summary>Time in words, to the second or, for hours, to the minute.</summary>
    public static string Time(TimeSpan time) =>
        FormattableString.Invariant(
            time.TotalSeconds < 90 ? $"{time.TotalSeconds:0} s"
            : time.TotalMinutes < 90 ? $"{(int)time.TotalMinutes} min {time.Seconds} s"
            : (FormattableString)$"{(int)time.TotalHours} h {time.Minutes} min"
        );

    // Spectre's own output takes any writer but the console's for a file.
    private sealed class ErrorOutput(TextWriter writer) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => Console.BufferWidth > 0 ? Console.BufferWidth : 80;

        public int Height => Console.WindowHeight > 0 ? Console.WindowHeight : 24;

        public void SetEncoding(Encoding encoding)
        {
            // Standard error keeps its own.
        }
    }
}

/// <summary>Passes text on without what a terminal would obey.</summary>
internal sealed class PlainWriter(TextWriter inner) : TextWriter(System.Globalization.CultureInfo.InvariantCulture)
{
    public override Encoding Encoding => inner.Encoding;

    // Half of a character above the basic plane says nothing yet; none of them is a terminal's order by itself.
    public override void Write(char value)
    {
        if (char.IsSurrogate(value))
            inner.Write(value);
        else
            inner.Write(PrintableText.Clean(value.ToString()));
    }

    public override void Write(string? value) => inner.Write(PrintableText.Clean(value ?? ""));

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void WriteLine(string? value) => inner.WriteLine(PrintableText.Clean(value ?? ""));

    public override void WriteLine(ReadOnlySpan<char> buffer) => WriteLine(buffer.ToString());

    public override void Flush() => inner.Flush();
}
