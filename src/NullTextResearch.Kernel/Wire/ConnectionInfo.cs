using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NullTextResearch.Kernel.Wire;

/// <summary>The connection file: where to listen, and the secret that signs messages.</summary>
internal sealed record ConnectionInfo
{
    [JsonPropertyName("transport")]
    public string Transport { get; init; } = "tcp";

    [JsonPropertyName("ip")]
    public string Ip { get; init; } = "127.0.0.1";

    [JsonPropertyName("key")]
    public string Key { get; init; } = "";

    [JsonPropertyName("signature_scheme")]
    public string SignatureScheme { get; init; } = "hmac-sha256";

    [JsonPropertyName("shell_port")]
    public int ShellPort { get; init; }

    [JsonPropertyName("control_port")]
    public int ControlPort { get; init; }

    [JsonPropertyName("iopub_port")]
    public int IoPubPort { get; init; }

    [JsonPropertyName("stdin_port")]
    public int StdinPort { get; init; }

    [JsonPropertyName("hb_port")]
    public int HeartbeatPort { get; init; }

    /// <summary>Reads and checks a connection file.</summary>
    /// <exception cref="ArgumentException">The file requires something that this kernel does not support.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ConnectionInfo Read(string path)
    {
        ConnectionInfo info;
        try
        {
            info = JsonSerializer.Deserialize<ConnectionInfo>(File.ReadAllBytes(path)) ?? throw new JsonException("it is empty");
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The connection file {path} is not readable, or is a folder.", e);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"The connection file {path} is not in Jupyter's format: {e.Message}", nameof(path), e);
        }

        info.Check();
        return info;
    }

    public string Address(int port) => $"tcp://{Ip}:{port}";

    private void Check()
    {
        List<string> wrong = [];
        if (Transport != "tcp")
            wrong.Add($"transport is '{Transport}', expected tcp");
        // Anyone who can reach the sockets can run code as this user, so other machines must not reach them.
        if (!IPAddress.TryParse(Ip, out IPAddress? address) || !IPAddress.IsLoopback(address))
            wrong.Add($"ip is '{Ip}', but this kernel listens only on this machine (127.0.0.1); reach it remotely through an SSH tunnel or a Jupyter server");
        if (Key is null)
            wrong.Add("key is null; an empty one means that messages are not signed");
        if (SignatureScheme != "hmac-sha256")
            wrong.Add($"signature_scheme is '{SignatureScheme}', expected hmac-sha256");
        foreach (
            (string name, int port) in ((string, int)[])
                [("shell_port", ShellPort), ("control_port", ControlPort), ("iopub_port", IoPubPort), ("stdin_port", StdinPort), ("hb_port", HeartbeatPort)]
        )
        {
            if (port is < 1 or > 65535)
                wrong.Add($"{name} is {port}");
        }
        if (wrong.Count > 0)
            throw new ArgumentException($"The connection file cannot be used: {string.Join("; ", wrong)}.");
    }
}
