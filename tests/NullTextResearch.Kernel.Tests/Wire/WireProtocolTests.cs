using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Wire;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Wire;

public sealed class WireProtocolTests
{
    private const string Key = "a0436f6c-1916-498b-8eb9-e81ab9368e84";

    [Fact]
    public void Sign_KnownParts_IsHmacSha256InLowerHex()
    {
        byte[][] parts = [.. ((string[])["{\"a\":1}", "{}", "{}", "{\"code\":\"1\"}"]).Select(Encoding.UTF8.GetBytes)];
        string expected = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Key), parts.SelectMany(p => p).ToArray()));
        Assert.Equal(expected, new WireProtocol(Key).Sign(parts));
    }

    [Fact]
    public void Parse_OwnFrames_RoundTripsWithIdentitiesAndBuffers()
    {
        WireProtocol sender = new(Key), receiver = new(Key);
        Message sent = sender.Create("execute_request", new JsonObject { ["code"] = "\"ü€😀\"" }, null, [[1, 2], [3]]);
        Message withBuffers = new() { Identities = sent.Identities, Header = sent.Header, Content = sent.Content, Buffers = [[9, 9]] };
        Message? got = receiver.Parse(sender.ToFrames(withBuffers), out string? refusal);
        Assert.Null(refusal);
        Assert.NotNull(got);
        Assert.Equal("execute_request", got.Type);
        Assert.Equal(2, got.Identities.Count);
        Assert.Equal([9, 9], Assert.Single(got.Buffers));
        Assert.Equal("\"ü€😀\"", got.Body["code"]!.GetValue<string>());
    }

    [Fact]
    public void Parse_AnyPartChanged_IsRefused()
    {
        WireProtocol sender = new(Key);
        for (int part = 1; part <= 5; part++)
        {
            List<byte[]> frames = [.. sender.ToFrames(sender.Create("x", [], null))];
            frames[part] = [.. frames[part], (byte)' '];
            Assert.Null(new WireProtocol(Key).Parse(frames, out string? refusal));
            Assert.Equal("wrong signature", refusal);
        }
    }

    [Fact]
    public void Parse_SameFramesTwice_IsRefusedTheSecondTime()
    {
        WireProtocol sender = new(Key), receiver = new(Key);
        IReadOnlyList<byte[]> frames = sender.ToFrames(sender.Create("x", [], null));
        Assert.NotNull(receiver.Parse(frames, out _));
        Assert.Null(receiver.Parse(frames, out string? refusal));
        Assert.Equal("repeated signature", refusal);
    }

    [Fact]
    public void Parse_NoKey_AcceptsUnsigned()
    {
        WireProtocol open = new("");
        IReadOnlyList<byte[]> frames = open.ToFrames(open.Create("x", [], null));
        Assert.Empty(frames[1]);
        Assert.NotNull(open.Parse(frames, out _));
        Assert.NotNull(open.Parse(frames, out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void Parse_TooFewFrames_IsRefused(int count)
    {
        List<byte[]> frames = ["<IDS|MSG>"u8.ToArray(), .. Enumerable.Range(0, count).Select(_ => Array.Empty<byte>())];
        Assert.Null(new WireProtocol(Key).Parse(frames, out string? refusal));
        Assert.NotNull(refusal);
    }

    [Fact]
    public void Parse_ContentIsNoJson_IsAnEmptyBody()
    {
        WireProtocol protocol = new("");
        Message broken = new() { Header = "{}"u8.ToArray(), Content = "not json"u8.ToArray() };
        Message? got = protocol.Parse(protocol.ToFrames(broken), out _);
        Assert.NotNull(got);
        Assert.Equal("", got.Type);
        Assert.Empty(got.Body);
    }

    [Fact]
    public void Create_Reply_EchoesTheParentHeaderByteForByte()
    {
        byte[] odd = "{ \"msg_id\" :  \"7\" , \"msg_type\":\"x\"}"u8.ToArray();
        Message reply = new WireProtocol(Key).Create("x_reply", [], new Message { Header = odd });
        Assert.Equal(odd, reply.Parent);
    }

    [Fact]
    public void Create_Header_HasProtocolVersionAndUtcDate()
    {
        JsonNode header = JsonNode.Parse(new WireProtocol(Key).Create("status", [], null).Header)!;
        Assert.Equal("5.3", header["version"]!.GetValue<string>());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", header["date"]!.GetValue<string>());
    }
}
