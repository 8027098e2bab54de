using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.Formatting;
using NullTextResearch.Hosting;

namespace NullTextResearch.DotNetInteractive;

/// <summary>
/// .NET Interactive as a notebook host of the library. Its information about the running cell is bound to the cell's flow of control;
/// outside a cell, results go to the console as text.
/// </summary>
internal sealed class InvocationHost : INotebookHost
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly LiveServer _live;

    /// <summary>
    /// Creates the host of this process. Elements reach it over a separate socket, because the kernel answers only comms of its own targets.
    /// </summary>
    public InvocationHost()
    {
        _live = new LiveServer(LiveServices.Instance, AnswerAsync);
        LiveServices.Instance.Server = _live;
    }

    /// <inheritdoc/>
    public string Name => $".NET Interactive {typeof(Kernel).Assembly.GetName().Version}";

    // Its Jupyter side sends every mime type except application/json as a string.
    /// <inheritdoc/>
    public bool DeliversJson => false;

    /// <inheritdoc/>
    public CancellationToken Cancellation => KernelInvocationContext.Current?.CancellationToken ?? CancellationToken.None;

    /// <inheritdoc/>
    public IDisplayHandle Display(object? value, params IReadOnlyList<string> mimeTypes)
    {
        if (KernelInvocationContext.Current is { } context)
            return new Handle(context, value, mimeTypes);
        Console.WriteLine(Text(value));
        return new Printed();
    }

    /// <inheritdoc/>
    public void ClearOutput(bool wait = false)
    {
        // The kernel has no such event; outputs stay.
    }

    /// <inheritdoc/>
    public string ReadLine(string prompt, bool hidden = false)
    {
        try
        {
            // Outside the cell's flow: the cell waits here, and the kernel's answer must not wait for the cell.
            return hidden
                ? Task.Run(() => Kernel.GetPasswordAsync(prompt)).GetAwaiter().GetResult().GetClearTextPassword()
                : Task.Run(() => Kernel.GetInputAsync(prompt)).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is NoSuitableKernelException or CommandNotSupportedException)
        {
            throw new InvalidOperationException("The notebook runs unattended: nobody can answer.", e);
        }
    }

    /// <inheritdoc/>
    public ILiveService? Serve(string id, LiveAnswer answer)
    {
        LiveService service = LiveServices.Instance.Add(id, answer);
        if (service.Address is not null)
            return service;
        service.Dispose();
        return null;
    }

    // An output cannot be replaced once its cell has ended.
    /// <inheritdoc/>
    public bool UpdatesLater => false;

    // Runs concurrently with cells: this kernel offers no way to run work between them.
    private Task AnswerAsync(LiveService service) =>
        Task.Run(async () =>
        {
            await _turn.WaitAsync().ConfigureAwait(false);
            try
            {
                service.Answer(data => _live.Send(service, data), CancellationToken.None);
            }
            finally
            {
                _turn.Release();
            }
        });

    private static string Text(object? value) =>
        value is MimeBundle bundle ? (string)bundle.Data["text/plain"] : value.ToDisplayString(PlainTextFormatter.MimeType);

    // display(x).Update(y) has no effect in the kernel's last versions; the handle of the invocation context works.
    private sealed class Handle : IDisplayHandle
    {
        private readonly KernelInvocationContext _context;
        private readonly DisplayedValue? _shown;

        public Handle(KernelInvocationContext context, object? value, IReadOnlyList<string> mimeTypes)
        {
            _context = context;
            if (value is not MimeBundle)
            {
                _shown = context.Display(value, [.. mimeTypes]);
                return;
            }

            context.Publish(new DisplayedValueProduced(value, context.Command, Formatted(value), Id));
        }

        public string Id { get; } = Guid.NewGuid().ToString("N");

        public void Update(object? value)
        {
            if (_shown is not null && value is not MimeBundle)
                _shown.Update(value);
            else
                _context.Publish(new DisplayedValueUpdated(value, Id, _context.Command, Formatted(value)));
        }

        private static FormattedValue[] Formatted(object? value) =>
            value is MimeBundle bundle
                ? [.. bundle.Data.Select(d => new FormattedValue(d.Key, d.Value is byte[] bytes ? Convert.ToBase64String(bytes) : d.Value.ToString()))]
                : [.. FormattedValue.CreateManyFromObject(value)];
    }

    private sealed class Printed : IDisplayHandle
    {
        public string Id => "";

        public void Update(object? value) => Console.WriteLine(Text(value));
    }
}
