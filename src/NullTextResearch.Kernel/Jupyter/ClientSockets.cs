using NetMQ;
using NetMQ.Sockets;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>
/// The client's ends of a kernel's sockets. They belong to one thread, as <see cref="KernelSockets"/>' do; the heartbeat is
/// left out: the kernel is a child process, whose end is noticed sooner.
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
    /// <param name="connection">Where.</param>
    /// <param name="protocol">Signs and checks.</param>
    /// <param name="received">Every trusted message, on the sockets' thread: must not block.</param>
    public ClientSockets(ConnectionInfo connection, WireProtocol protocol, Action<Channel, Message> received)
    {
        _protocol = protocol;
        _received = received;
        byte[] identity = Guid.NewGuid().ToByteArray();
        // An identity must not begin with zero.
        identity[0] |= 1;
        foreach (DealerSocket dealer in (DealerSocket[])[_shell, _control, _stdin])
        {
            // The same on all three: the kernel asks for input where the cell came from.
            dealer.Options.Identity = identity;
            dealer.Options.Linger = TimeSpan.Zero;
            dealer.Options.SendHighWatermark = 0;
            dealer.Options.ReceiveHighWatermark = 0;
        }

        // The default of 1000 drops output without a word.
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
        // Unsafe: it must not take the cell that happens to start it along for its whole life.
        _thread.UnsafeStart();
    }

    /// <summary>Sends in order of the calls, from any thread; after the end nothing is sent any more.</summary>
    public void Send(Channel channel, Message message)
    {
        if (Volatile.Read(ref _stopping) == 0)
            _outgoing.Enqueue((channel, message));
    }

    /// <summary>Sends what was queued and closes.</summary>
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
        // Bounded, so that a flood of output does not keep an interrupt from being sent.
        for (int i = 0; i < 64; i++)
        {
            NetMQMessage? frames = null;
            if (!socket.TryReceiveMultipartMessage(ref frames))
                return;
            // What is not signed with this session's key is nobody's: another kernel on a port that was ours.
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
            // A kernel that is gone takes nothing; its end is noticed elsewhere, and whoever waits for an answer is told.
            socket.TrySendMultipartMessage(TimeSpan.Zero, frames);
        }
    }
}
