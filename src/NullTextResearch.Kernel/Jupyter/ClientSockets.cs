using NetMQ;
using NetMQ.Sockets;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>
/// The client side of a kernel's sockets. They belong to one thread, like those of <see cref="KernelSockets"/>. There is no heartbeat: the kernel is a
/// child process, so its end is noticed sooner.
/// </summary>
internal sealed class ClientSockets : IDisposable
{
    private readonly WireProtocol _protocol;
    private readonly DealerSocket _shell = new();
    private readonly DealerSocket _control = new();
    private readonly DealerSocket _stdin = new();
    private readonly SubscriberSocket _ioPub = new();
    private readonly NetMQQueue<(Channel Channel, Message? Message)> _outgoing = new();
    private readonly NetMQPoller _poller;
    private readonly Thread _thread;
    private readonly Action<Channel, Message> _received;
    private int _stopping;

    /// <summary>Connects; the kernel need not listen yet.</summary>
    /// <param name="connection">Where the kernel listens.</param>
    /// <param name="protocol">Signs and verifies messages.</param>
    /// <param name="received">Receives every trusted message on the sockets' thread; must not block.</param>
    public ClientSockets(ConnectionInfo connection, WireProtocol protocol, Action<Channel, Message> received)
    {
        _protocol = protocol;
        _received = received;
        byte[] identity = Guid.NewGuid().ToByteArray();
        // An identity must not begin with zero.
        identity[0] |= 1;
        foreach (DealerSocket dealer in (DealerSocket[])[_shell, _control, _stdin])
        {
            // The same identity on all three: the kernel requests input from the client that sent the cell.
            dealer.Options.Identity = identity;
            dealer.Options.Linger = TimeSpan.Zero;
            dealer.Options.SendHighWatermark = 0;
            dealer.Options.ReceiveHighWatermark = 0;
        }

        // The default limit of 1000 drops output silently.
        _ioPub.Options.ReceiveHighWatermark = 0;
        _ioPub.Options.Linger = TimeSpan.Zero;
        _ioPub.SubscribeToAnyTopic();
        _shell.Connect(connection.Address(connection.ShellPort));
        _control.Connect(connection.Address(connection.ControlPort));
        _stdin.Connect(connection.Address(connection.StdinPort));
        _ioPub.Connect(connection.Address(connection.IoPubPort));
        _poller = [_shell, _control, _stdin, _ioPub, _outgoing];
        _shell.ReceiveReady += (_, _) => ReceiveAll(_shell, Channel.Shell);
        _control.ReceiveReady += (_, _) => ReceiveAll(_control, Channel.Control);
        _stdin.ReceiveReady += (_, _) => ReceiveAll(_stdin, Channel.Stdin);
        _ioPub.ReceiveReady += (_, _) => ReceiveAll(_ioPub, Channel.IoPub);
        _outgoing.ReceiveReady += (_, _) => SendAll();
        _thread = new Thread(_poller.Run) { Name = "Jupyter client", IsBackground = true };
        // UnsafeStart: the thread must not keep the context of the cell that happens to start it.
        _thread.UnsafeStart();
    }

    /// <summary>Sends in the order of the calls, from any thread; does nothing after disposal.</summary>
    public void Send(Channel channel, Message message)
    {
        if (Volatile.Read(ref _stopping) == 0)
            _outgoing.Enqueue((channel, message));
    }

    /// <summary>Sends queued messages and closes the sockets.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _stopping, 1) != 0)
            return;
        _outgoing.Enqueue((Channel.Control, null));
        _thread.Join();
        _poller.Dispose();
        foreach (IDisposable socket in (IDisposable[])[_shell, _control, _stdin, _ioPub, _outgoing])
            socket.Dispose();
    }

    private void ReceiveAll(NetMQSocket socket, Channel channel)
    {
        // Bounded, so that a flood of output does not hold up an interrupt.
        for (int i = 0; i < 64; i++)
        {
            NetMQMessage? frames = null;
            if (!socket.TryReceiveMultipartMessage(ref frames))
                return;
            // A message that is not signed with this session's key is ignored: it comes from another kernel on a port that was ours.
            if (_protocol.Parse([.. frames.Select(f => f.ToByteArray())], out _) is { } message)
                _received(channel, message);
        }
    }

    private void SendAll()
    {
        for (int i = 0; i < 256 && _outgoing.TryDequeue(out (Channel Channel, Message? Message) item, TimeSpan.Zero); i++)
        {
            if (item.Message is not { } message)
            {
                _poller.Stop();
                return;
            }

            NetMQMessage frames = [];
            foreach (byte[] frame in _protocol.ToFrames(message))
                frames.Append(frame);
            DealerSocket socket = item.Channel switch
            {
                Channel.Shell => _shell,
                Channel.Control => _control,
                _ => _stdin,
            };
            // A kernel that has exited accepts nothing. Its end is noticed elsewhere and reported to callers that wait for an answer.
            socket.TrySendMultipartMessage(TimeSpan.Zero, frames);
        }
    }
}
