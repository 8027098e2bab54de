using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Installing;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>
/// A kernel as a child process. It does not outlive us: <see cref="Dispose"/> or the end of our process ends it; if our process is killed, it exits by
/// itself (JPY_PARENT_PID, as with Jupyter's servers).
/// </summary>
internal sealed class JupyterProcess : IDisposable
{
    private const int SignalInterrupt = 2;

    private static readonly ConcurrentDictionary<JupyterProcess, bool> Living = new();

    private readonly Process _process;
    private readonly string _folder;
    private readonly OutputTail _tail = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _disposed;

    static JupyterProcess() =>
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            foreach (JupyterProcess process in Living.Keys)
                process.Dispose();
        };

    private JupyterProcess(Process process, string folder, ConnectionInfo connection)
    {
        _process = process;
        _folder = folder;
        Connection = connection;
    }

    /// <summary>Where the kernel listens.</summary>
    public ConnectionInfo Connection { get; }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Completes when the process has ended, for whatever reason.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Whether it still runs.</summary>
    public bool IsAlive => !_ended.Task.IsCompleted;

    /// <summary>The end of its output on stdout and stderr, without control characters.</summary>
    public string LastWords => _tail.Text;

    /// <summary>How it ended, in words; empty while it runs.</summary>
    public string Ending { get; private set; } = "";

    /// <summary>Starts a kernel; does not wait until it answers.</summary>
    /// <exception cref="CellException">Its program cannot be started.</exception>
    public static JupyterProcess Start(JupyterSpec spec)
    {
        // Mode 700: whoever reads the key can run code.
        string folder = Directory.CreateTempSubdirectory("nulltext-jupyter-").FullName;
        try
        {
            (ConnectionInfo connection, string file) = WriteConnection(folder);
            IReadOnlyList<string> command = spec.Command(file);
            ProcessStartInfo start = new(Program(command[0]), command.Skip(1))
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach ((string name, string value) in spec.Environment)
                start.Environment[name] = JupyterSpec.Expand(value);
            // On Windows the value would have to be a handle.
            if (!OperatingSystem.IsWindows())
                start.Environment["JPY_PARENT_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            // This variable belongs to the notebook server that runs us, not to the kernel that we start.
            start.Environment.Remove("JPY_SESSION_NAME");
            Process process = new() { StartInfo = start, EnableRaisingEvents = true };
            JupyterProcess kernel = new(process, folder, connection);
            process.Exited += (_, _) => kernel.OnExit();
            process.Start();
            Living[kernel] = true;
            process.StandardInput.Close();
            kernel._tail.Follow(process.StandardOutput.BaseStream);
            kernel._tail.Follow(process.StandardError.BaseStream);
            return kernel;
        }
        catch (Win32Exception e)
        {
            Directory.Delete(folder, recursive: true);
            throw new CellException(
                "KernelSpecError",
                $"The kernel '{spec.Name}' cannot be started: {spec.Arguments[0]}: {e.Message}. {Path.Combine(spec.Folder, "kernel.json")} names that "
                    + "program; install that kernel again."
            );
        }
    }

    /// <summary>Sends Ctrl+C (SIGINT) to this process only.</summary>
    /// <returns>False on Windows, which has no such signal.</returns>
    public bool Interrupt()
    {
        if (OperatingSystem.IsWindows())
            return false;
        // Exited processes are not signalled: their id may belong to another process by now.
        if (IsAlive && !_process.HasExited)
            _ = kill(_process.Id, SignalInterrupt);
        return true;
    }

    /// <summary>Removes the connection file, which a kernel has read by the time it answers, so that no key is left behind.</summary>
    public void Forget()
    {
        lock (_ended)
        {
            if (Directory.Exists(_folder))
                Directory.Delete(_folder, recursive: true);
        }
    }

    /// <summary>Kills it at once, with its child processes.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // The process or one of its children has already ended.
        }
    }

    /// <summary>Ends the process and removes its files.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        Kill();
        _process.WaitForExit();
        OnExit();
        Living.TryRemove(this, out _);
        _process.Dispose();
        Forget();
    }

    private void OnExit()
    {
        lock (_ended)
        {
            if (_ended.Task.IsCompleted)
                return;
            Ending = Describe(_process.ExitCode);
            _ended.SetResult();
        }
    }

    // Exit codes as shells report them: 128 plus the signal's number.
    private static string Describe(int code) =>
        code switch
        {
            128 + 4 => "it crashed with an illegal instruction (SIGILL)",
            128 + 6 => "it was aborted (SIGABRT)",
            128 + 7 => "it crashed with a memory error (SIGBUS)",
            128 + 8 => "it crashed with an arithmetic error (SIGFPE)",
            128 + 9 => "it was killed (SIGKILL), by a user or because memory ran out",
            128 + 11 => "it crashed with a memory error (SIGSEGV)",
            128 + 15 => "it was terminated (SIGTERM)",
            _ => string.Create(CultureInfo.InvariantCulture, $"exit code {code}"),
        };

    // "python" is what ipykernel writes into an environment's own spec; Debian has only python3.
    private static string Program(string name) => Path.IsPathRooted(name) || JupyterPaths.OnPath(name) is not null || name != "python" ? name : "python3";

    private static (ConnectionInfo Connection, string File) WriteConnection(string folder)
    {
        int[] ports = FreePorts(5);
        ConnectionInfo connection = new()
        {
            Key = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)),
            ShellPort = ports[0],
            ControlPort = ports[1],
            StdinPort = ports[2],
            IoPubPort = ports[3],
            HeartbeatPort = ports[4],
        };
        string file = Path.Combine(folder, "connection.json");
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using FileStream stream = new(file, options);
        stream.Write(
            Encoding.UTF8.GetBytes(
                new JsonObject
                {
                    ["transport"] = connection.Transport,
                    ["ip"] = connection.Ip,
                    ["key"] = connection.Key,
                    ["signature_scheme"] = connection.SignatureScheme,
                    ["shell_port"] = connection.ShellPort,
                    ["control_port"] = connection.ControlPort,
                    ["stdin_port"] = connection.StdinPort,
                    ["iopub_port"] = connection.IoPubPort,
                    ["hb_port"] = connection.HeartbeatPort,
                }.ToJsonString()
            )
        );
        return (connection, file);
    }

    // All ports are held until the last is known, so that no two are the same. If another program takes one before the kernel does, the kernel exits and is
    // started again.
    private static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        try
        {
            foreach (TcpListener listener in listeners)
                listener.Start();
            return [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (TcpListener listener in listeners)
                listener.Dispose();
        }
    }

    [DllImport("libc", ExactSpelling = true)]
    private static extern int kill(int process, int signal);

    /// <summary>The end of a process's output. It is read continuously, so that the process never waits for us.</summary>
    private sealed class OutputTail
    {
        private const int Most = 8192;

        private readonly Lock _gate = new();
        private readonly Queue<byte> _bytes = new(Most);

        public string Text
        {
            get
            {
                lock (_gate)
                    return string.Concat(Encoding.UTF8.GetString([.. _bytes]).Where(c => c == '\n' || !char.IsControl(c))).Trim();
            }
        }

        public void Follow(Stream stream) =>
            new Thread(() => Read(stream), 256 * 1024) { Name = "Jupyter kernel's console", IsBackground = true }.UnsafeStart();

        private void Read(Stream stream)
        {
            byte[] buffer = new byte[4096];
            try
            {
                for (int count = stream.Read(buffer); count > 0; count = stream.Read(buffer))
                {
                    lock (_gate)
                    {
                        foreach (byte b in buffer.AsSpan(0, count))
                        {
                            if (_bytes.Count == Most)
                                _bytes.Dequeue();
                            _bytes.Enqueue(b);
                        }
                    }
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The pipe closed with the process: there is no more output.
            }
        }
    }
}
