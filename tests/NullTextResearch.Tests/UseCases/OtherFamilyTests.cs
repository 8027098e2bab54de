using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.UseCases;

/// <summary>
/// Inversion, editing and experiments know nothing of a model but <see cref="IDiffusionModel"/>: they serve a flow that they have never seen.
/// </summary>
[LeavesNoTensors]
public sealed class OtherFamilyTests : IDisposable
{
    private readonly ToyFlowModel _model = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-flow-").FullName;

    [Fact]
    public void Invert_AFlow_NullTextComesNearerThanDdim()
    {
        using InvertedPicture plain = _model.Invert(Picture(), "a cat on a mat", Options(new DdimInversion())),
            held = _model.Invert(Picture(), "a cat on a mat", Options(new NullTextInversion(new NullTextOptions { InnerSteps = 20 })));
        using DisposeScope scope = NewDisposeScope();
        Tensor clean = _model.Encode([plain.Image]);
        Assert.True(TensorAssert.MeanSquare(held.Inversion.Reconstruction ?? Rebuilt(held), clean) < 0.5 * TensorAssert.MeanSquare(Rebuilt(plain), clean));
    }

    [Fact]
    public void Edit_AFlow_ChangesTheTargetAndLeavesTheSource()
    {
        using InvertedPicture picture = _model.Invert(Picture(), "a cat on a mat", Options(new NullTextInversion(new NullTextOptions { InnerSteps = 5 })));
        foreach (EditorOptions editor in (EditorOptions[])[new PromptToPromptOptions(), new MasaCtrlOptions()])
        {
            using EditedPicture edited = _model.Edit(picture, "a dog on a mat", new EditOptions { Editor = editor });
            using DisposeScope scope = NewDisposeScope();
            TensorAssert.Close(Rebuilt(picture), edited.Result.Source(), 1e-9);
            Assert.True(TensorAssert.MeanSquare(edited.Result.Target(), edited.Result.Source()) > 1e-6, editor.Id);
        }
    }

    [Fact]
    public void Experiment_OnAFlow_MeasuresIt()
    {
        ExperimentImage image = new("cat", Picture(), "a cat on a mat");
        ExperimentSettings settings = new() { Steps = 6, InnerSteps = [2] };
        using ExperimentLab lab = new(_model, [image], settings, new ResultCache(_folder));
        Assert.Equal("toy-flow-1", lab.Fingerprint);
        Assert.Null(lab.Classifier);
        double held = Reconstruction.Run(lab, ReconstructionMethod.NullText, [2])[0][0].Psnr,
            plain = Reconstruction.Run(lab, ReconstructionMethod.Ddim, [2])[0][0].Psnr;
        Assert.True(held > plain, $"{held} dB, {plain} dB by DDIM inversion alone");
        Assert.Equal(
            Reconstruction.WorkOf(settings.Steps, ReconstructionMethod.NullText, [2]) + Reconstruction.WorkOf(settings.Steps, ReconstructionMethod.Ddim, [2]),
            lab.Work
        );
    }

    public void Dispose()
    {
        _model.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Tensor Rebuilt(InvertedPicture picture) => Sampler.Run(_model.Predictor(), picture.Grid, picture.Inversion.Plan);

    private static InvertOptions Options(IInversion method) => InvertOptions.Default with { Steps = 10, GuidanceScale = 3, Method = method };

    private static RgbImage Picture()
    {
        using Generator generator = new(3);
        using Tensor pixels = rand([1, 3, 64, 64], generator: generator);
        return ImageTensor.ToImages(pixels)[0];
    }
}
