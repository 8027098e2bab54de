using NullTextResearch.Kernel.Wire;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Wire;

public sealed class ConnectionInfoTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Read_JupytersFile_HasAllPorts()
    {
        ConnectionInfo info = Read("127.0.0.1");
        Assert.Equal((1001, 1002, 1003, 1004, 1005), (info.ShellPort, info.IoPubPort, info.StdinPort, info.ControlPort, info.HeartbeatPort));
        Assert.Equal("tcp://127.0.0.1:1001", info.Address(info.ShellPort));
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("192.168.1.5")]
    [InlineData("*")]
    [InlineData("example.org")]
    public void Read_AddressOtherMachinesReach_IsRefused(string ip) =>
        Assert.Contains("only on this machine", Assert.Throws<ArgumentException>(() => Read(ip)).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_SeveralFaults_AreAllNamed()
    {
        string message = Assert.Throws<ArgumentException>(() => Read("127.0.0.1", transport: "ipc", scheme: "hmac-md5", port: 0)).Message;
        foreach (string word in (string[])["ipc", "hmac-md5", "shell_port"])
            Assert.Contains(word, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoJson_SaysWhichFile()
    {
        File.WriteAllText(_file, "hello");
        Assert.Contains(_file, Assert.Throws<ArgumentException>(() => ConnectionInfo.Read(_file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Folder_IsAnIOException() => Assert.ThrowsAny<IOException>(() => ConnectionInfo.Read(Path.GetTempPath()));

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"key\":\"\\ud800\"}")]
    [InlineData("{\"shell_port\":1.5}")]
    [InlineData("{\"shell_port\":99999999999}")]
    [InlineData("{\"ip\":null}")]
    [InlineData("{\"key\":null,\"shell_port\":1,\"control_port\":2,\"stdin_port\":3,\"iopub_port\":4,\"hb_port\":5}")]
    public void Read_WrongKinds_AreRefused(string json)
    {
        File.WriteAllText(_file, json);
        Assert.Throws<ArgumentException>(() => ConnectionInfo.Read(_file));
    }

    private ConnectionInfo Read(string ip, string transport = "tcp", string scheme = "hmac-sha256", int port = 1001)
    {
        File.WriteAllText(
            _file,
            $$"""
            { "shell_port": {{port}}, "iopub_port": 1002, "stdin_port": 1003, "control_port": 1004, "hb_port": 1005,
              "ip": "{{ip}}", "key": "k", "transport": "{{transport}}", "signature_scheme": "{{scheme}}", "kernel_name": "x" }
            """
        );
        return ConnectionInfo.Read(_file);
    }
}
