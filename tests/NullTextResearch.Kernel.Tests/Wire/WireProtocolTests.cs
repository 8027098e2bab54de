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
        WireProtocol sender = new(Key),
            receiver = new(Key);
        Message sent = sender.Create(
            "execute_request",
            new JsonObject { ["code"] = "\"ü€😀\"" },
            null,
            [
                [1, 2],
                [3],
            ]
        );
        Message withBuffers = new()
        {
            Identities = sent.Identities,
            Header = sent.Header,
            Content = sent.Content,
            Buffers =
            [
                [9, 9],
            ],
        };
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
        WireProtocol sender = new(Key),
            receiver = new(Key);
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

    [Theory]
    [InlineData("not json", "content")]
    [InlineData("[]", "content: an object was expected")]
    [InlineData("null", "content: an object was expected")]
    [InlineData("{\"a\":1,\"a\":2}", "content: the name \"a\" appears twice (line 1, byte 8)")]
    [InlineData("{\"a\":{\"b\":1,\n\"\\u0062\":2}}", "content: the name \"b\" appears twice (line 2, byte 1)")]
    [InlineData("{\"a\":\"\\ud800\"}", "content: a string is not valid text")]
    [InlineData("{\"\\udc00\":1}", "content: a string is not valid text")]
    public void Parse_DamagedContent_CanBeAnswered(string content, string fault)
    {
        WireProtocol protocol = new("");
        Message? got = protocol.Parse(
            protocol.ToFrames(new Message { Header = "{\"msg_type\":\"x_request\"}"u8.ToArray(), Content = Encoding.UTF8.GetBytes(content) }),
            out string? refusal
        );
        Assert.Null(refusal);
        Assert.Equal("x_request", got!.Type);
        Assert.Empty(got.Body);
        Assert.StartsWith(fault, got.Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("{\"msg_type\":7}")]
    [InlineData("{\"msg_type\":\"\"}")]
    [InlineData("{\"msg_type\":\"\\u001b]0;x\"}")]
    [InlineData("{\"msg_type\":\"a\",\"msg_type\":\"b\"}")]
    [InlineData("{\"msg_type\":\"\\ud800\"}")]
    [InlineData(
        "{\"msg_type\":\"a\",\"x\":"
            + "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
            + "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"
    )]
    [InlineData("{\"msg_type\":nul\n\u001b]0;x\u0007}")]
    [InlineData("\u001b[2J\n")]
    public void Parse_UnusableHeader_IsRefused(string header)
    {
        WireProtocol protocol = new("");
        Assert.Null(protocol.Parse(protocol.ToFrames(new Message { Header = Encoding.UTF8.GetBytes(header) }), out string? refusal));
        Assert.NotNull(refusal);
        // The reason is one line of a log.
        Assert.DoesNotContain(refusal, char.IsControl);
    }

    [Fact]
    public void Parse_TooMuch_IsRefused()
    {
        WireProtocol protocol = new("");
        Assert.Null(protocol.Parse([.. Enumerable.Repeat(Array.Empty<byte>(), 200)], out string? frames));
        Assert.Contains("200 frames", frames, StringComparison.Ordinal);
        Assert.Null(
            protocol.Parse(
                protocol.ToFrames(new Message { Header = Encoding.UTF8.GetBytes($"{{\"msg_type\":\"a\",\"x\":\"{new string('x', 70_000)}\"}}") }),
                out string? header
            )
        );
        Assert.Contains("the header has", header, StringComparison.Ordinal);
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
