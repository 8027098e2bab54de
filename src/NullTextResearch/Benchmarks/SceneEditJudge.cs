using System.Runtime.InteropServices;
using NullTextResearch.Images;
using NullTextResearch.Scenes;
using NullTextResearch.Training;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// Judges edits of <see cref="ToyEditDataset"/> as <see cref="ModelEvaluation"/> does: an edit succeeds if a classifier sees the scene that was asked for
/// (objects, their colours, place, night, weather and style, and nothing that was removed), and if the picture is nearer to the true result than the
/// unedited picture is, in PSNR over the whole picture.
/// </summary>
/// <remarks>
/// The classifier sees that rain or fog is there, not how much: for re-weighting, the direction of the change is judged by the distance to the true result
/// alone.
/// </remarks>
public sealed class SceneEditJudge : IEditJudge, IDisposable
{
    private readonly ToyEditDataset _dataset;
    private readonly SceneClassifier _classifier;
    private readonly Device _device;
    private readonly bool _owns;
    private readonly Lazy<string> _id;

    /// <summary>Creates a judge that uses a classifier in memory.</summary>
    /// <param name="dataset">The data set; its pictures should have the size on which the classifier was trained (64).</param>
    /// <param name="classifier">The classifier; borrowed.</param>
    /// <param name="device">Where its weights are; null means the CPU.</param>
    /// <exception cref="ArgumentException">The classifier was trained on a domain of scenes without rain, fog and drawings.</exception>
    public SceneEditJudge(ToyEditDataset dataset, SceneClassifier classifier, Device? device = null)
        : this(dataset, classifier, device, owns: false) { }

    private SceneEditJudge(ToyEditDataset dataset, SceneClassifier classifier, Device? device, bool owns)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(classifier);
        if (classifier.Domain.Version < SceneDomain.Second.Version)
            throw new ArgumentException(
                $"The classifier knows domain {classifier.Domain.Version} of the toy scenes, which has no rain, fog or drawings; the toy edits need one of "
                    + $"domain {SceneDomain.Second.Version}: use a model that was trained on it, such as sd-mini.",
                nameof(classifier)
            );
        (_dataset, _classifier, _device, _owns) = (dataset, classifier, device ?? CPU, owns);
        _id = new Lazy<string>(() => $"toy-edit/1 {HashOf(classifier.Weights)}");
    }

    /// <summary>Creates a judge with the classifier that is stored with a model.</summary>
    /// <param name="dataset">The data set, at the model's size.</param>
    /// <param name="modelFolder">Model folder with <c>classifier/model.safetensors</c>.</param>
    /// <param name="device">Where it runs; null means the CPU.</param>
    /// <returns>Owned by the caller.</returns>
    /// <exception cref="ArgumentException">The classifier was trained on a domain of scenes without rain, fog and drawings.</exception>
    /// <exception cref="Weights.ModelFormatException">There is no classifier, or the file is damaged.</exception>
    /// <exception cref="Weights.CheckpointMismatchException">The file holds another network.</exception>
    public static SceneEditJudge Load(ToyEditDataset dataset, string modelFolder, Device? device = null)
    {
        SceneClassifier classifier = SceneClassifier.Load(modelFolder, device);
        try
        {
            return new SceneEditJudge(dataset, classifier, device, owns: true);
        }
        catch
        {
            classifier.Dispose();
            throw;
        }
    }

    /// <summary>The rule's version and a hash of the classifier's weights.</summary>
    public string Id => _id.Value;

    /// <inheritdoc/>
    /// <returns>Whether the edit succeeded; null for other tasks than the data set's, and for pictures of another size than its own.</returns>
    public bool? Judge(EditTask task, RgbImage edited)
    {
        ArgumentNullException.ThrowIfNull(edited);
        int size = _dataset.ImageSize;
        if (!_dataset.Has(task) || edited.Width != size || edited.Height != size)
            return null;
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor pictures = ImageTensor.ToPixels([edited, _dataset.Truth(task)!, _dataset.Picture(task)], _device),
            whole = ones(size, size, ScalarType.Float32, _device);
        SceneJudgement seen = _classifier.Judge(pictures.narrow(0, 0, 1))[0];
        return SceneEditOutcome.Succeeds(
            SceneEditOutcome.SeenAsAsked(_dataset.Plan(task), seen, _classifier.Domain),
            SceneEditOutcome.PsnrIn(pictures[0], pictures[1], whole),
            SceneEditOutcome.PsnrIn(pictures[2], pictures[1], whole)
        );
    }

    private static string HashOf(WeightSet weights)
    {
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using FingerprintWriter writer = new();
        foreach (Weight weight in weights.All.OrderBy(w => w.Key, StringComparer.Ordinal))
            writer.Add(weight.Key).Add(MemoryMarshal.AsBytes<float>(weight.Value.detach().to(ScalarType.Float32, CPU).contiguous().data<float>().ToArray()));
        return writer.Done()[..16];
    }

    /// <summary>Frees the classifier if this judge loaded it.</summary>
    public void Dispose()
    {
        if (_owns)
            _classifier.Dispose();
    }
}
