using System.Text;
using NullTextResearch.Text;
using Spectre.Console;

namespace NullTextResearch.Cli.Running;

/// <summary>The terminal, or whatever replaces it.</summary>
internal static class Terminal
{
    private static TextWriter _error = Console.Error;

    /// <summary>
    /// From here on, escape sequences are removed from everything that the program prints, whatever file, server or prompt it came from.
    /// This is the only place that removes them.
    /// </summary>
    public static void Guard()
    {
        _error = Console.Error;
        Console.SetOut(new PlainWriter(Console.Out));
        Console.SetError(new PlainWriter(Console.Error));
    }

    /// <summary>Whether standard error can show progress bars.</summary>
    public static bool ShowsBars => !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>Standard error as a console that can draw, for <see cref="ShowsBars"/>; texts must be cleaned before they are passed to it.</summary>
    public static IAnsiConsole Drawing() =>
        AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new ErrorOutput(_error),
                ColorSystem = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            }
        );

    /// <summary>A text for <see cref="Drawing"/>: neither the terminal nor the console interprets anything in it as a command.</summary>
    public static string Plain(string text) => Markup.Escape(PrintableText.Clean(text));

    /// <summary>Time in words, to the second or, for hours, to the minute.</summary>
    public static string Time(TimeSpan time) =>
        FormattableString.Invariant(
            time.TotalSeconds < 90 ? $"{time.TotalSeconds:0} s"
            : time.TotalMinutes < 90 ? $"{(int)time.TotalMinutes} min {time.Seconds} s"
            : (FormattableString)$"{(int)time.TotalHours} h {time.Minutes} min"
        );

    // Spectre's own output treats any writer except the console's as a file.
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

/// <summary>Passes text on without terminal control sequences.</summary>
internal sealed class PlainWriter(TextWriter inner) : TextWriter(System.Globalization.CultureInfo.InvariantCulture)
{
    public override Encoding Encoding => inner.Encoding;

    // A surrogate is half a character; on its own it is never a control sequence.
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
