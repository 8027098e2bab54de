using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using NullTextResearch.Models;
using Polly;
using Polly.Retry;

namespace NullTextResearch.Hub;

/// <summary>Speaks with a hub over HTTP: one request, with redirects, a stall timeout, errors in words, and repeats of what may pass.</summary>
internal sealed partial class HubClient : IDisposable
{
    private const int MostRedirects = 8;
    private const int MostIndexBytes = 64 << 20;

    // No model has a thousandth of these.
    private const int MostFiles = 100_000;
    private const long MostFileBytes = 1L << 44;
    private readonly HubOptions _options;
    private readonly HttpClient _http;
    private volatile bool _reached;

    public HubClient(HubOptions options)
    {
        _options = options;
        // Redirects are followed here: the token must stay with the endpoint.
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                ConnectTimeout = TimeSpan.FromSeconds(15),
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("nulltext", typeof(HubClient).Assembly.GetName().Version?.ToString(3) ?? "0"));
    }

    /// <summary>The server, for messages.</summary>
    public string Host => _options.Endpoint.Authority;

    /// <summary>Whether the token may be sent: not in clear text over a network.</summary>
    public bool SendsToken => _options.Token is not null && (_options.Endpoint.Scheme == "https" || _options.Endpoint.IsLoopback);

    /// <summary>Repeats work that fails for a reason that may pass.</summary>
    /// <param name="report">Is told about each repeat.</param>
    public ResiliencePipeline Pipeline(Action<string>? report) =>
        new ResiliencePipelineBuilder { TimeProvider = _options.Clock }
            .AddRetry(
                new RetryStrategyOptions
                {
                    // Somebody without a network should learn it at once, and not after all the waits.
                    ShouldHandle = arguments =>
                        ValueTask.FromResult(
                            arguments.Outcome.Exception is TransientHubException trouble
                                && (trouble.RetryAfter ?? TimeSpan.Zero) <= _options.LongestWait
                                && (_reached || trouble.Problem != HubProblem.Offline || arguments.AttemptNumber < 1)
                        ),
                    MaxRetryAttempts = Math.Max(1, _options.Retries),
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = _options.RetryDelay,
                    MaxDelay = TimeSpan.FromSeconds(30),
                    DelayGenerator = arguments => ValueTask.FromResult((arguments.Outcome.Exception as TransientHubException)?.RetryAfter),
                    OnRetry = arguments =>
                    {
                        report?.Invoke(
                            string.Create(
                                CultureInfo.InvariantCulture,
                                $"{arguments.Outcome.Exception!.Message} Trying again in {arguments.RetryDelay.TotalSeconds:0.#} s."
                            )
                        );
                        return default;
                    },
                }
            )
            .Build();

    /// <summary>Looks up a model.</summary>
    /// <exception cref="HubException">It cannot be had.</exception>
    public async Task<HubRevision> DescribeAsync(ModelName model, Action<string>? report, CancellationToken cancellation)
    {
        string revision = model.Revision ?? ModelName.MainRevision;
        Uri address = Address($"api/models/{model.Id}/revision/{Uri.EscapeDataString(revision)}?blobs=true");
        byte[] json = await Pipeline(report)
            .ExecuteAsync(
                async stop =>
                {
                    using HttpResponseMessage response = await SendAsync(address, null, null, model, stop).ConfigureAwait(false);
                    using MemoryStream text = new();
                    byte[] buffer = new byte[1 << 16];
                    RateGuard rate = Rate();
                    await using Stream body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
                    int got;
                    while ((got = await ReadAsync(body, buffer, stop).ConfigureAwait(false)) > 0)
                    {
                        rate.Count(got);
                        text.Write(buffer, 0, got);
                        if (text.Length > MostIndexBytes)
                            throw new HubException(
                                HubProblem.Server,
                                $"{Host} answers with more than {MostIndexBytes >> 20} MB where the index of {model.Id} was expected. Is HF_ENDPOINT right?"
                            );
                    }

                    return text.ToArray();
                },
                cancellation
            )
            .ConfigureAwait(false);
        return Parse(json, model);
    }

    /// <summary>The address of a file's content.</summary>
    public Uri FileAddress(ModelName model, string commit, HubFile file) =>
        Address($"{model.Id}/resolve/{commit}/{string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString))}");

    /// <summary>One request, with its redirects.</summary>
    /// <param name="address">Where.</param>
    /// <param name="from">First byte wanted, if not the first of all.</param>
    /// <param name="validator">Entity tag that the content must still have for <paramref name="from"/> to count; null if none is known.</param>
    /// <param name="model">For messages.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A success, or 416; the caller disposes it.</returns>
    /// <exception cref="HubException">Anything else.</exception>
    public async Task<HttpResponseMessage> SendAsync(Uri address, long? from, string? validator, ModelName model, CancellationToken cancellation)
    {
        Uri at = address;
        for (int hop = 0; hop <= MostRedirects; hop++)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, at);
            if (from is > 0)
            {
                request.Headers.Range = new RangeHeaderValue(from, null);
                if (validator is not null && EntityTagHeaderValue.TryParse(validator, out EntityTagHeaderValue? tag) && !tag.IsWeak)
                    request.Headers.IfRange = new RangeConditionHeaderValue(tag);
            }

            bool home = IsHome(at);
            if (home && SendsToken)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _options.Token!.Value);
            HttpResponseMessage response = await HeadersAsync(request, cancellation).ConfigureAwait(false);
            if (
                response.StatusCode
                    is HttpStatusCode.MovedPermanently
                        or HttpStatusCode.Found
                        or HttpStatusCode.SeeOther
                        or HttpStatusCode.TemporaryRedirect
                        or HttpStatusCode.PermanentRedirect
                && response.Headers.Location is { } location
            )
            {
                response.Dispose();
                Uri next = new(at, location);
                if (next.Scheme is not ("http" or "https") || (at.Scheme == "https" && next.Scheme == "http"))
                    throw new HubException(
                        HubProblem.Server,
                        $"{at.Authority} redirects to {next.Scheme}://{next.Authority}, which is not safe to follow. Is HF_ENDPOINT right?"
                    );
                at = next;
                continue;
            }

            if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                return response;
            using (response)
                throw Refusal(response, at, home, model);
        }

        throw new HubException(HubProblem.Server, $"{Host} redirects in a circle. Is HF_ENDPOINT right?");
    }

    /// <summary>Reads from a connection; trouble becomes an exception that may be repeated.</summary>
    /// <returns>Bytes read; 0 at the end.</returns>
    public async ValueTask<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationToken cancellation)
    {
        using CancellationTokenSource stall = new(_options.StallTimeout, _options.Clock);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stall.Token);
        try
        {
            return await body.ReadAsync(buffer, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TransientHubException(
                HubProblem.Connection,
                string.Create(CultureInfo.InvariantCulture, $"The connection brought nothing for {_options.StallTimeout.TotalSeconds:0.#} s."),
                e
            );
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new TransientHubException(HubProblem.Connection, "The connection broke.", e);
        }
    }

    /// <summary>Watches over one body.</summary>
    public RateGuard Rate() => new(_options);

    public void Dispose() => _http.Dispose();

    private Uri Address(string path) => new($"{_options.Endpoint.AbsoluteUri.TrimEnd('/')}/{path}");

    private bool IsHome(Uri address) =>
        address.Scheme == _options.Endpoint.Scheme
        && address.Port == _options.Endpoint.Port
        && string.Equals(address.IdnHost, _options.Endpoint.IdnHost, StringComparison.OrdinalIgnoreCase);

    private async Task<HttpResponseMessage> HeadersAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        if (_options.Offline)
            throw new HubException(HubProblem.Offline, $"HF_HUB_OFFLINE is set, so {Host} was not asked. Unset it to download.");
        using CancellationTokenSource stall = new(_options.StallTimeout, _options.Clock);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stall.Token);
        string host = request.RequestUri!.Authority;
        try
        {
            HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
            _reached = true;
            return response;
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TransientHubException(
                HubProblem.Connection,
                string.Create(CultureInfo.InvariantCulture, $"{host} did not answer within {_options.StallTimeout.TotalSeconds:0.#} s."),
                e
            );
        }
        catch (HttpRequestException e)
        {
            cancellation.ThrowIfCancellationRequested();
            throw e.HttpRequestError switch
            {
                HttpRequestError.SecureConnectionError => new HubException(
                    HubProblem.Server,
                    $"{host} cannot prove that it is what it says it is ({Cause(e)}). A company's proxy or a wrong clock can be the reason.",
                    e
                ),
                HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError => new TransientHubException(
                    HubProblem.Offline,
                    $"{host} cannot be reached ({Cause(e)}). Is there a network? A proxy is taken from HTTPS_PROXY, a mirror from HF_ENDPOINT.",
                    e
                ),
                _ => new TransientHubException(HubProblem.Connection, $"The connection to {host} broke ({Cause(e)}).", e),
            };
        }
    }

    private static string Cause(Exception e) => e.GetBaseException().Message.Split('\n')[0].TrimEnd('.');

    private HubException Refusal(HttpResponseMessage response, Uri at, bool home, ModelName model)
    {
        int status = (int)response.StatusCode;
        string page = $"{_options.Endpoint.AbsoluteUri.TrimEnd('/')}/{model.Id}";
        string settings = $"{_options.Endpoint.GetLeftPart(UriPartial.Authority)}/settings/tokens";
        string code = Header(response, "X-Error-Code") ?? "";
        string said = Header(response, "X-Error-Message") is { } message ? $" The server says: {message}" : "";
        if (status is 408 or 429 || status >= 500)
        {
            TimeSpan? wait = Wait(response);
            bool busy = status == 429;
            string text = busy ? $"{at.Authority} asks for fewer requests (429)." : $"{at.Authority} failed ({status}).";
            if (wait > _options.LongestWait)
                text += string.Create(
                    CultureInfo.InvariantCulture,
                    $" It asks to wait {Math.Ceiling(wait.Value.TotalMinutes):0} minutes: run the same command again then, it goes on where it "
                        + $"was.{(busy && !SendsToken ? " With a token in HF_TOKEN more requests are allowed." : "")}"
                );
            return new TransientHubException(busy ? HubProblem.TooManyRequests : HubProblem.Server, text, null) { RetryAfter = wait };
        }

        // An address that the hub signed for a content server runs out after a while; the next attempt gets a new one.
        if (!home)
            return new TransientHubException(HubProblem.Server, $"{at.Authority}, to which {Host} redirects, refused ({status}).");
        string clear = _options.Token is not null && !SendsToken ? " (The token was not sent: HF_ENDPOINT is plain http, where others could read it.)" : "";
        return status switch
        {
            401 when !SendsToken => new(
                HubProblem.Unauthorized,
                $"{Host} wants to know who asks for {model.Id} (401): it is private, its terms must be accepted first, or there is no such model, which "
                    + $"looks the same. Check the spelling; then accept the terms at {page} and set HF_TOKEN to a token from {settings}.{clear}{said}"
            ),
            401 when code is not ("GatedRepo" or "RepoNotFound") => new(
                HubProblem.Unauthorized,
                $"{Host} does not accept the token in HF_TOKEN (401): it is mistyped or has run out. Make a new one at {settings}.{said}"
            ),
            401 or 403 when code != "RepoNotFound" => new(
                status == 401 ? HubProblem.Unauthorized : HubProblem.Forbidden,
                SendsToken
                    ? $"{Host} does not give {model.Id} to the owner of the token in HF_TOKEN ({status}). Accept the model's terms at {page} with that "
                        + $"account, and give the token the right to read gated models at {settings}.{said}"
                    : $"{Host} does not give {model.Id} to everybody ({status}). Accept the model's terms at {page} and set HF_TOKEN to a token from "
                        + $"{settings}.{clear}{said}"
            ),
            401 or 403 or 404 when code == "RevisionNotFound" => new(
                HubProblem.NotFound,
                $"{model.Id} has no revision {model.Revision ?? ModelName.MainRevision} on {Host} ({status}). Its branches are listed at {page}/tree/main."
            ),
            404 when code == "EntryNotFound" => new(
                HubProblem.NotFound,
                $"A file that the index of {model.Id} names is not there ({status}); run the command again, and if that fails, the repository is broken."
            ),
            401 or 403 or 404 => new(
                HubProblem.NotFound,
                $"There is no model {model} on {Host} ({status}). Check owner, name and revision; a private model needs a token in HF_TOKEN.{clear}{said}"
            ),
            _ => new(HubProblem.Server, $"{Host} answers {status} {Clean(response.ReasonPhrase ?? "")} for {model.Id}.{said} Is HF_ENDPOINT right?"),
        };
    }

    /// <summary>How long a busy server asks to wait.</summary>
    private TimeSpan? Wait(HttpResponseMessage response)
    {
        TimeSpan? wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - _options.Clock.GetUtcNow(),
            // The hub's own way to say it: r requests are left, new ones after t seconds.
            _ => Header(response, "RateLimit") is { } limit
            && ResetForm().Match(limit) is { Success: true } match
            && int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
                ? TimeSpan.FromSeconds(seconds)
                : null,
        };
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private HubRevision Parse(byte[] json, ModelName model)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            JsonElement root = document.RootElement;
            string commit = root.GetProperty("sha").GetString() ?? "";
            if (!CacheFolder.IsHash(commit))
                throw NoIndex(null);
            string? licence =
                root.TryGetProperty("cardData", out JsonElement card)
                && card.ValueKind == JsonValueKind.Object
                && card.TryGetProperty("license", out JsonElement l)
                && l.ValueKind == JsonValueKind.String
                    ? Clean(l.GetString()!)
                    : null;
            JsonElement siblings = root.GetProperty("siblings");
            if (siblings.GetArrayLength() > MostFiles)
                throw Bad($"{siblings.GetArrayLength()} files; at most {MostFiles} are expected");
            HashSet<string> paths = new(StringComparer.Ordinal);
            List<HubFile> files = [];
            foreach (JsonElement sibling in siblings.EnumerateArray())
            {
                string path = sibling.GetProperty("rfilename").GetString() ?? "";
                if (!paths.Add(path))
                    throw Bad($"the file {Clean(path)} twice");
                if (File(sibling, path) is { } file)
                    files.Add(file);
            }

            return new HubRevision(commit, licence, files);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw NoIndex(e);
        }

        HubException Bad(string what) =>
            new(HubProblem.Server, $"The index of {model.Id} on {Host} lists {what}: it is damaged, or no model hub's. Nothing was downloaded.");

        HubException NoIndex(Exception? e) =>
            new(
                HubProblem.Server,
                $"{Host} does not answer as a model hub does (no index of {model.Id} with sizes and checksums). Is HF_ENDPOINT right, or does a network "
                    + "ask for a login first?",
                e
            );

        // Files without a checksum cannot be verified: they count as absent, which is said where one is needed.
        HubFile? File(JsonElement sibling, string path)
        {
            (string? hash, long size) =
                sibling.TryGetProperty("lfs", out JsonElement large) && large.ValueKind == JsonValueKind.Object
                    ? (large.GetProperty("sha256").GetString(), Size(large.GetProperty("size"), path))
                : sibling.TryGetProperty("blobId", out JsonElement blob)
                && sibling.TryGetProperty("size", out JsonElement bytes)
                && bytes.ValueKind == JsonValueKind.Number
                    ? (blob.GetString(), Size(bytes, path))
                : (null, 0);
            return hash is not null && CacheFolder.IsHash(hash) ? new HubFile(path, size, hash) : null;
        }

        long Size(JsonElement size, string path) =>
            size.ValueKind == JsonValueKind.Number && size.TryGetInt64(out long bytes) && bytes is >= 0 and <= MostFileBytes
                ? bytes
                : throw Bad($"a size of {Clean(size.GetRawText())} bytes for {Clean(path)}");
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) && string.Join(", ", values) is { Length: > 0 } text ? Clean(text) : null;

    // What a server says goes to a terminal: one line, no control characters, not endless.
    private static string Clean(string text) => new([.. text.Where(c => !char.IsControl(c)).Take(200)]);

    [GeneratedRegex(@"\bt=([0-9]+)")]
    private static partial Regex ResetForm();
}
