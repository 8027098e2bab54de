using Xunit;

namespace NullTextResearch.Hub.Tests;

/// <summary>No test: the hub that tests/campaigns/kills.sh downloads from. It runs only where it is asked for by name.</summary>
public sealed class CampaignHub
{
    private const string Variable = "NULLTEXT_HUB_ADDRESS";

    /// <summary>Writes its address into the file that the variable names, and serves until that file is gone.</summary>
    [Fact(Explicit = true)]
    public async Task Serve_UntilItsAddressIsRemoved_IsThere()
    {
        string? file = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(file), $"{Variable} names no file");
        await using FakeHub hub = await FakeHub.WithModelAsync();
        hub.OnContent = async (context, path) =>
        {
            // Slow enough to be killed in the middle.
            context.Response.Body = new SlowStream(context.Response.Body);
            await FakeHub.ServeAsync(context, hub.Files[path]);
            return true;
        };
        WholeFile.Write(file!, System.Text.Encoding.UTF8.GetBytes(hub.Address.ToString()));
        while (File.Exists(file))
            await Task.Delay(200, TestContext.Current.CancellationToken);
    }

    private sealed class SlowStream(Stream inner) : Stream
    {
        private const int Piece = 32 << 10;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (; buffer.Length > 0; buffer = buffer[Math.Min(Piece, buffer.Length)..])
            {
                await inner.WriteAsync(buffer[..Math.Min(Piece, buffer.Length)], cancellationToken);
                await inner.FlushAsync(cancellationToken);
                await Task.Delay(5, cancellationToken);
            }
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
