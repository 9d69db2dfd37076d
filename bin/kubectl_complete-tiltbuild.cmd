@"%~dp0kubectl-tiltbuild.exe" __complete %*
