# Numbers of MultiScaleSsim_IsTheProductOfItsScales (numpy, full windows in float64), in the order of its rows.
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
def pat(h,w,k):
    y,x=np.mgrid[0:h,0:w]
    a=np.stack([np.abs((3*x+2*y+60*c+(x*y)//8)%510-255) for c in range(3)],-1)
    if k: a=np.clip(a+np.stack([(13*x+29*y+5*c)%41-20 for c in range(3)],-1),0,255)
    return a.astype(float)
def filt(p):
    g=np.exp(-np.arange(-5,6)**2/(2*1.5**2)); g=g/g.sum(); w=np.outer(g,g)
    return (sliding_window_view(p,(11,11))*w).sum((-1,-2))
def ms(a,b,n):
    E=np.array([0.0448,0.2856,0.3001,0.2363,0.1333])[:n]; E=E/E.sum()
    out=[]
    for c in range(3):
        x,y=a[...,c],b[...,c]; v=1
        for j in range(n):
            mx,my=filt(x),filt(y); vx=filt(x*x)-mx*mx; vy=filt(y*y)-my*my; cv=filt(x*y)-mx*my
            C1=(2.55)**2; C2=(7.65)**2
            cs=(2*cv+C2)/(vx+vy+C2); l=(2*mx*my+C1)/(mx*mx+my*my+C1)
            m=(cs*l if j==n-1 else cs).mean(); v*=max(m,0)**E[j]
            h,w=x.shape; h-=h%2; w-=w%2
            x=x[:h,:w].reshape(h//2,2,w//2,2).mean((1,3)); y=y[:h,:w].reshape(h//2,2,w//2,2).mean((1,3))
        out.append(v)
    return np.mean(out)
for w,h,n in ((64,64,1),(64,64,2),(64,64,3),(51,45,3),(180,199,5)):
    print(w,h,n,repr(ms(pat(h,w,0),pat(h,w,1),n)))
