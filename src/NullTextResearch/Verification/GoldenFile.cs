using System.Text.Json;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>One file of the folder under verification: which of its tensors are wanted, and where results are reported.</summary>
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

    /// <summary>The file's entry in the manifest.</summary>
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

    /// <summary>Type of a stored tensor.</summary>
    public ScalarType Dtype(string tensor) => Folder.Open(Name).Entry(tensor).Dtype;

    public long[] Shape(string tensor) => [.. Folder.Open(Name).Entry(tensor).Shape];

    /// <summary>Compares a computed value with the stored one; does nothing if the tensor is not wanted.</summary>
    public void Report(string tensor, Tensor value) => Report(tensor, value, null);

    /// <summary>
    /// As <see cref="Report(string, Tensor)"/>, for latents of a local blend in float32. Null-text optimisation in float32 differs between CPUs, so
    /// the attention of a pixel may cross the blend's threshold on one CPU and not on another. The check of the mask allows a share of its pixels to
    /// differ. The same share of the latents' pixels may then lie on the other side of the blend: they are left out, farthest first, and all others
    /// must meet the limits.
    /// </summary>
    /// <param name="tensor">The latents.</param>
    /// <param name="mask">The blend's mask; its check gives the share.</param>
    /// <param name="value">[prompts, 4, H, W]; borrowed.</param>
    public void ReportBlended(string tensor, string mask, Tensor value)
    {
        if (!Wants(tensor) || Check(tensor) is not { } check || Check(mask)?.MismatchFraction is not { } share)
        {
            Report(tensor, value);
            return;
        }
        using DisposeScope scope = NewDisposeScope();
        Tensor reference = Read(tensor);
        long most = (long)(share * value.shape[2] * value.shape[3]);
        if (most == 0 || !value.shape.SequenceEqual(reference.shape) || check.Measure(reference, value).All(m => m.Holds))
        {
            Report(tensor, value);
            return;
        }
        Tensor farthest = value.sub(reference).Squared().sum(1).flatten(1).topk((int)most, 1).indexes;
        Tensor other = zeros_like(value.select(1, 0).flatten(1), ScalarType.Bool).scatter(1, farthest, ones_like(farthest).to(ScalarType.Bool));
        Tensor kept = where(other.view(value.shape[0], 1, value.shape[2], value.shape[3]), reference, value);
        Report(tensor, kept, $"without the {most} farthest of {value.shape[2] * value.shape[3]} pixels, which float32 may put on either side of the blend");
    }

    private void Report(string tensor, Tensor value, string? note)
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
                $"computed shape {NullTextResearch.Tensors.Shape.Text(value.shape)}, stored {NullTextResearch.Tensors.Shape.Text(reference.shape)}"
            );
            return;
        }
        IReadOnlyList<VerificationMeasure> measures = check.Measure(reference, value);
        _emit(new VerificationResult(Name, tensor, measures.All(m => m.Holds) ? VerificationStatus.Pass : VerificationStatus.Fail, measures, note));
    }

    /// <summary>Reports that a tensor cannot be compared in this run; does nothing if the tensor is not wanted.</summary>
    public void Skip(string tensor, string reason)
    {
        if (!Wants(tensor))
            return;
        _done.Add(tensor);
        Emit(tensor, VerificationStatus.Skip, reason);
    }

    /// <summary>Reports a fact of the manifest that is not a tensor.</summary>
    public void Fact(string name, bool holds, string detail)
    {
        if (Selected(name))
            Emit(name, holds ? VerificationStatus.Pass : VerificationStatus.Fail, detail);
    }

    /// <summary>Reports every tensor that got no value.</summary>
    /// <param name="problem">Why the file was abandoned; null if it was processed to the end.</param>
    public void Finish(string? problem)
    {
        foreach (string tensor in Tensors.Where(t => Selected(t) && !_done.Contains(t)))
        {
            string? skip = null,
                failure = problem ?? "this program cannot compute it";
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
