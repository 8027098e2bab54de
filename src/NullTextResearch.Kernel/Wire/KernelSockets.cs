using NetMQ;
using NetMQ.Sockets;

namespace NullTextResearch.Kernel.Wire;

/// <summary>The socket that a message goes to or comes from.</summary>
internal enum Channel
{
    Shell,
    Control,
    Stdin,
    IoPub,
}

/// <summary>
/// The kernel's five sockets. NetMQ sockets belong to one thread: the poller's. All other threads put messages into one queue, which also keeps replies and
/// outputs in order. The heartbeat has its own thread.
/// </summary>
internal sealed class KernelSockets : IDisposable
{
    // Larger than any real cell. NetMQ closes the connection of a client that sends more.
    private const long MostFrameBytes = 64L << 20;

    private readonly WireProtocol _protocol;
    private readonly RouterSocket _shell = new();
    private readonly RouterSocket _control = new();
    private readonly RouterSocket _stdin = new();
    private readonly PublisherSocket _ioPub = new();
    private readonly NetMQQueue<(Channel Channel, Message? Message)> _outgoing = new();
    private readonly NetMQPoller _poller;
    private readonly Thread _pollerThread;
    private readonly Thread _heartbeatThread;

    // Not a REP socket: it requires an order of calls and throws if a client does not keep to it.
    private readonly RouterSocket _heartbeat = new();
    private volatile bool _stopping;

    /// <summary>Binds all sockets; nothing is received before <see cref="Start"/>.</summary>
    public KernelSockets(ConnectionInfo connection, WireProtocol protocol)
    {
        _protocol = protocol;
        foreach (RouterSocket router in (RouterSocket[])[_shell, _control, _stdin, _heartbeat])
        {
            // A client that reconnects with its old identity takes over.
            router.Options.RouterHandover = true;
            router.Options.Linger = TimeSpan.FromSeconds(1);
            router.Options.MaxMsgSize = MostFrameBytes;
            router.Options.SendHighWatermark = 0;
            router.Options.ReceiveHighWatermark = 0;
        }

        // The default limit of 1000 drops output silently.
        _ioPub.Options.SendHighWatermark = 0;
        _ioPub.Options.Linger = TimeSpan.FromSeconds(1);
        _shell.Bind(connection.Address(connection.ShellPort));
        _control.Bind(connection.Address(connection.ControlPort));
        _stdin.Bind(connection.Address(connection.StdinPort));
        _ioPub.Bind(connection.Address(connection.IoPubPort));
        _heartbeat.Options.Linger = TimeSpan.Zero;
        _heartbeat.Bind(connection.Address(connection.HeartbeatPort));
        _poller = [_shell, _control, _stdin, _outgoing];
        _shell.ReceiveReady += (_, _) => ReceiveAll(_shell, Channel.Shell);
        _control.ReceiveReady += (_, _) => ReceiveAll(_control, Channel.Control);
        _stdin.ReceiveReady += (_, _) => ReceiveAll(_stdin, Channel.Stdin);
        _outgoing.ReceiveReady += (_, _) => SendAll();
        _pollerThread = new Thread(_poller.Run) { Name = "Jupyter sockets", IsBackground = true };
        _heartbeatThread = new Thread(Heartbeat) { Name = "Jupyter heartbeat", IsBackground = true };
    }

    /// <summary>Raised for every trusted message, on the poller's thread; must not block.</summary>
    public event Action<Channel, Message>? Received;

    /// <summary>Raised when a message is dropped, with the reason.</summary>
    public event Action<string>? Refused;

    public void Start()
    {
        _heartbeatThread.Start();
        _pollerThread.Start();
    }

    /// <summary>Sends in the order of the calls, from any thread.</summary>
    public void Send(Channel channel, Message message)
    {
        if (!_stopping)
            _outgoing.Enqueue((channel, message));
    }

    /// <summary>Sends queued messages, then stops and lets the sockets deliver for at most a second.</summary>
    public void Dispose()
    {
        if (_stopping)
            return;
        _outgoing.Enqueue((Channel.Control, null));
        _stopping = true;
        _pollerThread.Join(TimeSpan.FromSeconds(5));
        _heartbeatThread.Join(TimeSpan.FromSeconds(1));
        _poller.Dispose();
        foreach (IDisposable socket in (IDisposable[])[_shell, _control, _stdin, _ioPub, _heartbeat, _outgoing])
            socket.Dispose();
    }

    private void ReceiveAll(RouterSocket socket, Channel channel)
    {
        // Bounded, so that one busy client cannot keep the others and our own output waiting.
        for (int i = 0; i < 64; i++)
        {
            NetMQMessage? frames = null;
            if (!socket.TryReceiveMultipartMessage(ref frames))
                return;
            Message? message = _protocol.Parse([.. frames.Select(f => f.ToByteArray())], out string? refusal);
            if (message is null)
                Refused?.Invoke($"{channel}: {refusal}");
            else
                Alive(() => Received?.Invoke(channel, message), $"{channel}: {message.Type}");
        }
    }

    // A failure on one message must not end the loop that serves all the others, and with it the process.
    private void Alive(Action work, string what)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Refused?.Invoke($"{what} failed: {e}");
        }
    }

    private void SendAll()
    {
        for (int i = 0; i < 256 && _outgoing.TryDequeue(out (Channel Channel, Message? Message) item, TimeSpan.Zero); i++)
        {
            if (item.Message is null)
            {
                _poller.Stop();
                return;
            }

            Message message = item.Message;
            Alive(() => Send(item.Channel, message), $"{item.Channel}: sending");
        }

        void Send(Channel channel, Message message)
        {
            NetMQMessage frames = [];
            foreach (byte[] frame in _protocol.ToFrames(message))
                frames.Append(frame);
            IOutgoingSocket socket = channel switch
            {
                Channel.Shell => _shell,
                Channel.Control => _control,
                Channel.Stdin => _stdin,
                _ => _ioPub,
            };
            // A ROUTER drops messages to a client that has left; it must not wait for it.
            if (!socket.TrySendMultipartMessage(TimeSpan.FromSeconds(1), frames))
                Refused?.Invoke($"{channel}: a message could not be sent");
        }
    }

    private void Heartbeat()
    {
        while (!_stopping)
        {
            // With a timeout: a blocked socket would throw when the process ends. Every message goes back to its sender.
            NetMQMessage? beat = null;
            if (_heartbeat.TryReceiveMultipartMessage(TimeSpan.FromMilliseconds(200), ref beat))
                Alive(() => _heartbeat.TrySendMultipartMessage(TimeSpan.FromSeconds(1), beat), "Heartbeat");
        }
    }
}
