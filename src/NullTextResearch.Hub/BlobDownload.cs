using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using NullTextResearch.Models;
using Polly;

namespace NullTextResearch.Hub;

/// <summary>
/// The download of one blob. It is written to a temporary file next to its destination, resumes there after an interruption (even of the
/// process), and is moved into place once size and hash are correct.
/// </summary>
internal sealed class BlobDownload(
    HubClient client,
    ModelName model,
    Uri address,
    HubFile file,
    CacheFolder folder,
    Action<long> progress,
    Action<string> report
)
{
    private const int Chunk = 1 << 20;

    // An attempt that brings less than this does not count as progress: retries on a trickling server must end.
    private const long Progress = 1 << 20;

    private readonly string _unfinished = folder.Unfinished(file.Hash);
    private IncrementalHash _digest = file.NewDigest();
    private long _done;
    private long _best;
    private string? _tag;

    // Stores the entity tag of the content that the unfinished file belongs to.
    private string TagFile => _unfinished + ".etag";

    /// <summary>Downloads the blob into its place.</summary>
    /// <exception cref="HubException">The blob cannot be downloaded.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public async Task RunAsync(ResiliencePipeline repeats, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder.Blobs);
        bool again = false;
        while (true)
        {
            byte[] hash;
            await using (
                FileStream stream = new(
                    _unfinished,
                    FileMode.OpenOrCreate,
                    FileAccess.ReadWrite,
                    FileShare.Read,
                    bufferSize: 0,
                    FileOptions.Asynchronous | FileOptions.SequentialScan
                )
            )
            {
                await TakeUpAsync(stream, cancellation).ConfigureAwait(false);
                while (_done < file.Size)
                    await repeats.ExecuteAsync(stop => AttemptAsync(stream, stop), cancellation).ConfigureAwait(false);
                hash = _digest.GetHashAndReset();
                // Flush before the rename: after a power cut the final name must not exist without its content.
                if (Convert.ToHexStringLower(hash) == file.Hash)
                    stream.Flush(flushToDisk: true);
            }

            File.Delete(TagFile);
            if (Convert.ToHexStringLower(hash) == file.Hash)
            {
                File.Move(_unfinished, folder.Blob(file.Hash), overwrite: true);
                _digest.Dispose();
                return;
            }

            File.Delete(_unfinished);
            if (again)
                throw new HubException(
                    HubProblem.Damaged,
                    $"{file.Path} arrived with the wrong content twice: expected {(file.IsLarge ? "SHA-256" : "git hash")} {file.Hash}, got "
                        + $"{Convert.ToHexStringLower(hash)}. It was deleted. A proxy or mirror may be altering files; try again later, or without "
                        + "HF_ENDPOINT."
                );
            report($"{file.Path} arrived with the wrong content (its checksum differs); downloading it again.");
            again = true;
            _tag = null;
            _digest.Dispose();
            _digest = file.NewDigest();
            (_done, _best) = (0, 0);
        }
    }

    /// <summary>Resumes from what an earlier run left.</summary>
    private async Task TakeUpAsync(FileStream stream, CancellationToken cancellation)
    {
        if (stream.Length > file.Size)
            stream.SetLength(0);
        if (stream.Length == 0)
            return;
        byte[] buffer = new byte[Chunk];
        stream.Position = 0;
        int got;
        while ((got = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
        {
            _digest.AppendData(buffer, 0, got);
            _done += got;
        }

        _best = _done;
        if (File.Exists(TagFile))
            _tag = await File.ReadAllTextAsync(TagFile, cancellation).ConfigureAwait(false);
        progress(_done);
    }

    /// <summary>One request; returns if the file is complete or grew enough, otherwise throws.</summary>
    private async ValueTask AttemptAsync(FileStream stream, CancellationToken cancellation)
    {
        try
        {
            await FetchAsync(stream, cancellation).ConfigureAwait(false);
        }
        catch (TransientHubException e) when (e.RetryAfter is null && _done >= _best + Progress)
        {
            _best = _done;
            report(FormattableString.Invariant($"{e.Message} Resuming {file.Path} at {_done / (double)file.Size:0%}."));
        }
    }

    private async Task FetchAsync(FileStream stream, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await client.SendAsync(address, _done, _tag, model, cancellation).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            Restart(stream);
            throw Odd("does not have the requested range");
        }

        if (response.StatusCode == HttpStatusCode.PartialContent)
        {
            if (response.Content.Headers.ContentRange is not { From: { } first } range || first != _done || (range.Length is { } whole && whole != file.Size))
            {
                Restart(stream);
                throw Odd("sent a different range than requested");
            }
        }
        else
        {
            // The server does not support ranges, or the content has changed since the download began.
            if (_done > 0)
                Restart(stream);
            if (response.Content.Headers.ContentLength is { } length && length != file.Size)
                throw Odd(string.Create(CultureInfo.InvariantCulture, $"sends {length} bytes, but its index says {file.Size}"));
            await RememberTagAsync(response.Headers.ETag?.ToString(), cancellation).ConfigureAwait(false);
        }

        await using Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        byte[] buffer = new byte[Chunk];
        stream.Position = _done;
        RateGuard rate = client.Rate();
        int got;
        while ((got = await client.ReadAsync(body, buffer, cancellation).ConfigureAwait(false)) > 0)
        {
            if (_done + got > file.Size)
            {
                Restart(stream);
                throw Odd("sends more bytes than its index says");
            }

            await stream.WriteAsync(buffer.AsMemory(0, got), cancellation).ConfigureAwait(false);
            _digest.AppendData(buffer, 0, got);
            _done += got;
            progress(_done);
            // A complete file is fine, however long it took.
            if (_done < file.Size)
                rate.Count(got);
        }

        if (_done < file.Size)
            throw new TransientHubException(
                HubProblem.Connection,
                string.Create(CultureInfo.InvariantCulture, $"{file.Path} ended after {_done} of {file.Size} bytes.")
            );
    }

    private TransientHubException Odd(string what) => new(HubProblem.Server, $"{client.Host} {what} ({file.Path}).");

    private async Task RememberTagAsync(string? tag, CancellationToken cancellation)
    {
        _tag = tag;
        if (tag is null)
            File.Delete(TagFile);
        else
            await File.WriteAllTextAsync(TagFile, tag, cancellation).ConfigureAwait(false);
    }

    private void Restart(FileStream stream)
    {
        stream.SetLength(0);
        _digest.Dispose();
        _digest = file.NewDigest();
        _done = 0;
        _tag = null;
        progress(0);
    }
}
