using System.Text.Json;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>One entry of checks.json: the limits that a tensor must meet.</summary>
/// <remarks>All measures are taken in float64. Entries with an unknown member are rejected, never passed.</remarks>
public sealed class TensorCheck
{
    private static readonly string[] Notes = ["input", "skip", "start", "condition", "subsample", "where", "scale", "psnr_range"];
    private static readonly string[] Limits = ["rel_l2", "max_abs", "rel", "exact", "mismatch_fraction", "psnr_db"];

    private readonly JsonElement _json;

    /// <summary>Wraps an entry.</summary>
    /// <param name="json">The JSON object.</param>
    /// <exception cref="ArgumentException">It is not an object, or has an unknown member.</exception>
    public TensorCheck(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new ArgumentException($"A check must be a JSON object, found {json.GetRawText()}.", nameof(json));
        _json = json;
        foreach (JsonProperty member in json.EnumerateObject())
        {
            if (!Notes.Contains(member.Name) && !Limits.Contains(member.Name))
                throw new ArgumentException(
                    $"The check has an unknown member '{member.Name}'; known members are {string.Join(", ", Limits.Concat(Notes))}.",
                    nameof(json)
                );
        }
    }

    /// <summary>Why nothing is compared; null if something is.</summary>
    public string? SkipReason =>
        IsTrue("input") ? "input of the run"
        : _json.TryGetProperty("skip", out JsonElement skip) ? skip.ToString()
        : Limits.Any(limit => _json.TryGetProperty(limit, out _)) ? null
        : "checks.json names no limit";

    /// <summary>The share of values that may differ at all; null if the check sets none.</summary>
    public double? MismatchFraction => _json.TryGetProperty("mismatch_fraction", out JsonElement share) ? share.GetDouble() : null;

    /// <summary>Compares a tensor with its reference.</summary>
    /// <param name="reference">Stored tensor; borrowed.</param>
    /// <param name="actual">Computed tensor, same shape, any type; borrowed.</param>
    /// <returns>Every limit with its measured value.</returns>
    /// <exception cref="Tensors.ShapeMismatchException">The shapes differ.</exception>
    public IReadOnlyList<VerificationMeasure> Measure(Tensor reference, Tensor actual)
    {
        Tensors.Shape.RequireSame(actual, reference, "computed value");
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor r = reference.to(ScalarType.Float64).flatten(),
            x = actual.detach().cpu().to(ScalarType.Float64).flatten();
        Tensor difference = x.sub(r);
        List<VerificationMeasure> measures = [];
        foreach (JsonProperty member in _json.EnumerateObject())
        {
            switch (member.Name)
            {
                case "rel_l2":
                    Add(member, Value(difference.norm()) / Value(r.norm()));
                    break;
                case "max_abs":
                    double scale = IsTrue("scale") ? Math.Max(1, Value(r.abs().max())) : 1;
                    measures.Add(new VerificationMeasure(member.Name, Value(difference.abs().max()), member.Value.GetDouble() * scale));
                    break;
                case "rel":
                    Add(member, Relative(r, x, difference));
                    break;
                case "exact":
                    if (member.Value.GetBoolean())
                        measures.Add(new VerificationMeasure("unequal elements", Unequal(), 0));
                    break;
                case "mismatch_fraction":
                    Add(member, Unequal() / r.numel());
                    break;
                case "psnr_db":
                    double range = _json.TryGetProperty("psnr_range", out JsonElement peak) ? peak.GetDouble() : 1;
                    double psnr = 10 * Math.Log10(range * range / Value(difference.Squared().mean()));
                    measures.Add(new VerificationMeasure(member.Name, psnr, member.Value.GetDouble(), AtLeast: true));
                    break;
            }
        }
        return measures;

        void Add(JsonProperty limit, double value) => measures.Add(new VerificationMeasure(limit.Name, value, limit.Value.GetDouble()));

        // NaN is unequal to everything, including itself.
        double Unequal() => Value(x.ne(r).sum().to(ScalarType.Float64));
    }

    /// <summary>Largest |x - r| / max(|r|, 1e-12), where both are at least 0 if the check says so; NaN if no element is left.</summary>
    private double Relative(Tensor r, Tensor x, Tensor difference)
    {
        Tensor relative = difference.abs().div(r.abs().AtLeast(1e-12));
        if (_json.TryGetProperty("where", out JsonElement where))
        {
            if (where.GetString() != "both >= 0")
                throw new ArgumentException($"Unknown condition '{where}' of a relative limit; expected 'both >= 0'.");
            // Written so that NaN is kept and fails.
            relative = relative.masked_select(r.Below(0).logical_or(x.Below(0)).logical_not());
        }
        return relative.numel() == 0 ? double.NaN : Value(relative.max());
    }

    private bool IsTrue(string name) => _json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    private static double Value(Tensor scalar) => scalar.item<double>();
}
