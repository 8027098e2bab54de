using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using NullTextResearch.Models;
using Polly;
using Polly.Retry;

namespace NullTextResearch.Hub;

/// <summary>HTTP client for a hub: requests with redirects, a stall timeout, readable errors, and retries of transient failures.</summary>
internal sealed partial class HubClient : IDisposable
{
    private const int MostRedirects = 8;
    private const int MostIndexBytes = 64 << 20;

    // No model comes near a thousandth of these limits.
    private const int MostFiles = 100_000;
    private const long MostFileBytes = 1L << 44;
    private readonly HubOptions _options;
    private readonly HttpClient _http;
    private volatile bool _reached;

    public HubClient(HubOptions options)
    {
        _options = options;
        // Redirects are followed by this class, because the token must only be sent to the endpoint.
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

    /// <summary>Name of the server, for messages.</summary>
    public string Host => _options.Endpoint.Authority;

    /// <summary>Whether the token is sent: never in clear text over a network.</summary>
    public bool SendsToken => _options.Token is not null && (_options.Endpoint.Scheme == "https" || _options.Endpoint.IsLoopback);

    /// <summary>Retries work that fails with a transient error.</summary>
    /// <param name="report">Receives a message about each retry; null for none.</param>
    public ResiliencePipeline Pipeline(Action<string>? report) =>
        new ResiliencePipelineBuilder { TimeProvider = _options.Clock }
            .AddRetry(
                new RetryStrategyOptions
                {
                    // Without a network the user should see the error quickly, not after all the waits.
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
    /// <exception cref="HubException">The model cannot be looked up.</exception>
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
                                $"{Host} sent more than {MostIndexBytes >> 20} MB instead of the index of {model.Id}. Is HF_ENDPOINT right?"
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

    /// <summary>Sends one request and follows its redirects.</summary>
    /// <param name="address">Address to request.</param>
    /// <param name="from">First byte to request; null for the whole content.</param>
    /// <param name="validator">Entity tag that the content must still have for <paramref name="from"/> to apply; null if unknown.</param>
    /// <param name="model">Named in messages.</param>
    /// <param name="cancellation">Cancels the request.</param>
    /// <returns>A successful response, or 416; the caller disposes it.</returns>
    /// <exception cref="HubException">Any other response.</exception>
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

        throw new HubException(HubProblem.Server, $"{Host} redirects in a loop. Is HF_ENDPOINT right?");
    }

    /// <summary>Reads from a connection; failures are thrown as transient, so they can be retried.</summary>
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
                string.Create(CultureInfo.InvariantCulture, $"The connection delivered nothing for {_options.StallTimeout.TotalSeconds:0.#} s."),
                e
            );
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new TransientHubException(HubProblem.Connection, "The connection broke.", e);
        }
    }

    /// <summary>Creates the rate guard for one response body.</summary>
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
            throw new HubException(HubProblem.Offline, $"HF_HUB_OFFLINE is set, so {Host} was not contacted. Unset it to download.");
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
                    $"The secure connection to {host} failed ({Cause(e)}). A corporate proxy or a wrong clock may be the cause.",
                    e
                ),
                HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError => new TransientHubException(
                    HubProblem.Offline,
                    $"{host} cannot be reached ({Cause(e)}). Check the network; set a proxy in HTTPS_PROXY or a mirror in HF_ENDPOINT.",
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
            string text = busy ? $"{at.Authority} received too many requests (429)." : $"{at.Authority} failed ({status}).";
            if (wait > _options.LongestWait)
                text += string.Create(
                    CultureInfo.InvariantCulture,
                    $" It asks to wait {Math.Ceiling(wait.Value.TotalMinutes):0} minutes: run the same command again then; it resumes where it "
                        + $"stopped.{(busy && !SendsToken ? " With a token in HF_TOKEN more requests are allowed." : "")}"
                );
            return new TransientHubException(busy ? HubProblem.TooManyRequests : HubProblem.Server, text, null) { RetryAfter = wait };
        }

        // A signed address of a content server expires after a while; the next attempt gets a new one.
        if (!home)
            return new TransientHubException(HubProblem.Server, $"{at.Authority}, to which {Host} redirects, refused ({status}).");
        string clear = _options.Token is not null && !SendsToken ? " (The token was not sent: HF_ENDPOINT is plain http, where others could read it.)" : "";
        return status switch
        {
            401 when !SendsToken => new(
                HubProblem.Unauthorized,
                $"{Host} requires a token for {model.Id} (401): it is private, its terms must be accepted first, or it does not exist (the server does not "
                    + $"say which). Check the spelling; then accept the terms at {page} and set HF_TOKEN to a token from {settings}.{clear}{said}"
            ),
            401 when code is not ("GatedRepo" or "RepoNotFound") => new(
                HubProblem.Unauthorized,
                $"{Host} does not accept the token in HF_TOKEN (401): it is mistyped or has expired. Create a new one at {settings}.{said}"
            ),
            401 or 403 when code != "RepoNotFound" => new(
                status == 401 ? HubProblem.Unauthorized : HubProblem.Forbidden,
                SendsToken
                    ? $"{Host} refuses {model.Id} to the owner of the token in HF_TOKEN ({status}). Accept the model's terms at {page} with that "
                        + $"account, and give the token permission to read gated models at {settings}.{said}"
                    : $"{Host} does not offer {model.Id} without a login ({status}). Accept the model's terms at {page} and set HF_TOKEN to a token from "
                        + $"{settings}.{clear}{said}"
            ),
            401 or 403 or 404 when code == "RevisionNotFound" => new(
                HubProblem.NotFound,
                $"{model.Id} has no revision {model.Revision ?? ModelName.MainRevision} on {Host} ({status}). Its branches are listed at {page}/tree/main."
            ),
            404 when code == "EntryNotFound" => new(
                HubProblem.NotFound,
                $"A file listed in the index of {model.Id} does not exist ({status}). Run the command again; if that fails too, the repository is broken."
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
            // The hub's own header: r requests are left, and the limit resets after t seconds.
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
            new(HubProblem.Server, $"The index of {model.Id} on {Host} lists {what}: it is damaged, or not from a model hub. Nothing was downloaded.");

        HubException NoIndex(Exception? e) =>
            new(
                HubProblem.Server,
                $"{Host} does not answer like a model hub (no index of {model.Id} with sizes and checksums). Is HF_ENDPOINT right? Does the network "
                    + "require a login first?",
                e
            );

        // Files without a checksum cannot be verified, so they count as absent; a needed one is reported as missing later.
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

    // Server text goes to a terminal: keep it to one line, without control characters, and short.
    private static string Clean(string text) => new([.. text.Where(c => !char.IsControl(c)).Take(200)]);

    [GeneratedRegex(@"\bt=([0-9]+)")]
    private static partial Regex ResetForm();
}
