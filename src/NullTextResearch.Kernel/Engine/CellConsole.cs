using System.Text;
using NullTextResearch.Hosting;

namespace NullTextResearch.Kernel.Engine;

/// <summary>Console.Out and Console.Error: text goes to the cell that writes it.</summary>
internal sealed class CellConsole(bool isError, TextWriter outside, bool takesStrayText) : TextWriter
{
    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => Write([value]);

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void WriteLine(string? value) => Write(string.Concat(value, "\n"));

    public override void WriteLine() => Write("\n");

    public override void Write(ReadOnlySpan<char> buffer)
    {
        if ((takesStrayText ? CellContext.Current : CellContext.OfThisFlow) is { } cell)
            cell.Write(isError, buffer);
        else
            outside.Write(buffer);
    }

    protected override void Dispose(bool disposing)
    {
        // A "using Console.Out" somewhere must not close the console for everyone else.
    }
}

/// <summary>Console.In: asks the user.</summary>
internal sealed class CellInput(INotebookHost host) : TextReader
{
    private readonly Lock _gate = new();
    private string _rest = "";

    public override string? ReadLine()
    {
        lock (_gate)
        {
            if (_rest.Length == 0)
                return host.ReadLine("");
            string line = _rest.TrimEnd('\n');
            _rest = "";
            return line;
        }
    }

    public override int Peek()
    {
        lock (_gate)
            return _rest.Length == 0 ? -1 : _rest[0];
    }

    public override int Read()
    {
        lock (_gate)
        {
            if (_rest.Length == 0)
                _rest = host.ReadLine("") + "\n";
            char first = _rest[0];
            _rest = _rest[1..];
            return first;
        }
    }

    public override int Read(char[] buffer, int index, int count)
    {
        if (count == 0)
            return 0;
        buffer[index] = (char)Read();
        return 1;
    }

    public override string ReadToEnd() => ReadLine() ?? "";
}

/// <summary>The kernel as cells and libraries see it.</summary>
internal sealed class KernelHost : INotebookHost
{
    private KernelHost() { }

    public static KernelHost Instance { get; } = new();

    public string Name { get; } = $"nulltext kernel {typeof(KernelHost).Assembly.GetName().Version?.ToString(3)}";

    public CancellationToken Cancellation => CellContext.Current?.CancelSeenByCell ?? CancellationToken.None;

    public IDisplayHandle Display(object? value, params IReadOnlyList<string> mimeTypes) => Cell().Display(value, mimeTypes);

    public void ClearOutput(bool wait = false) => Cell().Send(new ClearOutput(wait));

    public string ReadLine(string prompt, bool hidden = false)
    {
        CellContext cell = Cell();
        if (cell.Request.Input is not { } input)
            throw new InvalidOperationException(
                "The cell asks for input, but this front end cannot answer (the notebook runs unattended). Put the answer into a variable."
            );
        cell.Flush();
        return input(prompt, hidden, cell.Cancel);
    }

    public ILiveService Serve(string id, LiveAnswer answer) => LiveServices.Instance.Add(id, answer);

    private static CellContext Cell() => CellContext.Current ?? throw new InvalidOperationException("No cell has run yet.");
}
