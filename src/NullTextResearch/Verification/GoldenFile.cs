using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>One file of the folder under verification: what is wanted of it, and where values are reported to.</summary>
internal sealed class GoldenFile
{
    private readonly VerificationOptions _options;
    private readonly Action<VerificationResult> _emit;
    private readonly HashSet<string> _done = new(StringComparer.Ordinal);
    private readonly JsonElement _checks;

    public GoldenFile(GoldenFolder folder, string name, VerificationOptions options, Action<VerificationResult> emit, CancellationToken cancellation)
    {
        (Folder, Name, _options, _emit, Cancellation) = (folder, name, options, emit, cancellation);
        Entry = folder.Entry(name);
        folder.Checks.TryGetProperty(name, out _checks);
        Tensors = [.. Entry.GetProperty("tensors").EnumerateObject().Select(t => t.Name)];
    }

    public GoldenFolder Folder { get; }

    public string Name { get; }

    /// <summary>Its entry in the manifest.</summary>
    public JsonElement Entry { get; }

    public IReadOnlyList<string> Tensors { get; }

    public CancellationToken Cancellation { get; }

    /// <summary>Name of the network configuration.</summary>
    public string Config => Entry.GetProperty("config").GetString()!;

    /// <summary>Whether a value for the tensor would be compared.</summary>
    public bool Wants(string tensor) => Tensors.Contains(tensor) && Selected(tensor) && Check(tensor)?.SkipReason is null && !_done.Contains(tensor);

    public bool WantsAny(Func<string, bool> condition) => Tensors.Any(t => condition(t) && Wants(t));

    /// <summary>A stored tensor of this file; owned by the caller's dispose scope.</summary>
    public Tensor Read(string tensor) => Folder.Read(Name, tensor);

    /// <summary>Type that the tensor is stored in.</summary>
    public ScalarType Dtype(string tensor) => Folder.Open(Name).Entry(tensor).Dtype;

    public long[] Shape(string tensor) => [.. Folder.Open(Name).Entry(tensor).Shape];

    /// <summary>Compares an own value with the stored one; does nothing if nobody wants it.</summary>
    public void Report(string tensor, Tensor value)
    {
        Cancellation.ThrowIfCancellationRequested();
        if (!Wants(tensor))
            return;
        _done.Add(tensor);
        if (Check(tensor) is not { } check)
        {
            Emit(tensor, VerificationStatus.Skip, "checks.json does not mention it");
            return;
        }
        using DisposeScope scope = NewDisposeScope();
        Tensor reference = Read(tensor);
        if (!value.shape.SequenceEqual(reference.shape))
        {
            Emit(
                tensor,
                VerificationStatus.Fail,
                $"own shape {NullTextResearch.Tensors.Shape.Text(value.shape)}, stored {NullTextResearch.Tensors.Shape.Text(reference.shape)}"
            );
            return;
        }
        IReadOnlyList<VerificationMeasure> measures = check.Measure(reference, value);
        _emit(new VerificationResult(Name, tensor, measures.All(m => m.Holds) ? VerificationStatus.Pass : VerificationStatus.Fail, measures));
    }

    /// <summary>Reports that a tensor cannot be compared in this run; does nothing if nobody wants it.</summary>
    public void Skip(string tensor, string reason)
    {
        if (!Wants(tensor))
            return;
        _done.Add(tensor);
        Emit(tensor, VerificationStatus.Skip, reason);
    }

    /// <summary>Reports a fact of the manifest that is no tensor.</summary>
    public void Fact(string name, bool holds, string detail)
    {
        if (Selected(name))
            Emit(name, holds ? VerificationStatus.Pass : VerificationStatus.Fail, detail);
    }

    /// <summary>Accounts for every tensor that got no value.</summary>
    /// <param name="problem">Why work on the file ended early; null if it did not.</param>
    public void Finish(string? problem)
    {
        foreach (string tensor in Tensors.Where(t => Selected(t) && !_done.Contains(t)))
        {
            string? skip = null,
                failure = problem ?? "this program does not know how to make it";
            try
            {
                TensorCheck? check = Check(tensor);
                skip = check is null ? "checks.json does not mention it" : check.SkipReason;
            }
            catch (ArgumentException e)
            {
                failure = e.Message;
            }
            Emit(tensor, skip is null ? VerificationStatus.Fail : VerificationStatus.Skip, skip ?? failure);
        }
    }

    private void Emit(string tensor, VerificationStatus status, string reason) => _emit(new VerificationResult(Name, tensor, status, [], reason));

    private bool Selected(string tensor) => _options.Only is not { } only || tensor.Contains(only, StringComparison.Ordinal);

    private TensorCheck? Check(string tensor) =>
        _checks.ValueKind == JsonValueKind.Object && _checks.TryGetProperty(tensor, out JsonElement check) ? new TensorCheck(check) : null;
}
